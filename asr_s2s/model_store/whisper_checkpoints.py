"""Whisper checkpoints as they are published, brought to our names: OpenAI's .pt and Hugging Face's folder.

A .pt is read with weights-only loading: tensors and sizes alone, no code.
"""

import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from asr_s2s.errors import CheckpointError, listed
from asr_s2s.files import is_file
from asr_s2s.inputs import read_bytes
from asr_s2s.model_store.whisper_sizes import WhisperSizes, hugging_face_sizes, openai_sizes

# Hugging Face's names first, then OpenAI's; the order of the pairs does not matter
_NAMES = [
    (r"(model\.)?encoder\.conv1\.", "encoder.stem.convolutions.0."),
    (r"(model\.)?encoder\.conv2\.", "encoder.stem.convolutions.1."),
    (r"(model\.)?(encoder|decoder)\.(layers|blocks)\.", r"\2.layers."),
    (r"(model\.)?encoder\.(layer_norm|ln_post)\.", "encoder.tail."),
    (r"(model\.)?decoder\.(layer_norm|ln)\.", "decoder.norm."),
    (r"(model\.)?decoder\.(embed_tokens|token_embedding)\.weight", "decoder.embedding.weight"),
    (r"(model\.)?decoder\.(embed_positions\.weight|positional_embedding)$", "decoder.positions.weight"),
    (r"\.(self_attn|attn)\.", ".self_attention."),
    (r"\.(encoder_attn|cross_attn)\.", ".cross_attention."),
    (r"\.(self_attn_layer_norm|attn_ln)\.", ".self_attention_norm."),
    (r"\.(encoder_attn_layer_norm|cross_attn_ln)\.", ".cross_attention_norm."),
    (r"\.(final_layer_norm|mlp_ln)\.", ".feedforward_norm."),
    (r"\.(fc1|mlp\.0)\.", ".feedforward.expand."),
    (r"\.(fc2|mlp\.2)\.", ".feedforward.contract."),
    (r"\.(q_proj|query)\.", ".query."),
    (r"\.(k_proj|key)\.", ".key."),
    (r"\.(v_proj|value)\.", ".value."),
    (r"\.(out_proj|out)\.", ".output."),
]
MOST_BYTES = 10_000_000  # of a config.json
# encoder positions are computed; the output layer is the embedding; the last two are not weights
_UNUSED = re.compile(
    r"(model\.)?encoder\.(embed_positions\.weight|positional_embedding)$|proj_out\.weight$|^alignment_heads$"
)


@dataclass(frozen=True)
class WhisperCheckpoint:
    """Sizes and weights, under our names; what the publisher wrote of its tokens, if anything."""

    sizes: WhisperSizes
    state: dict[str, Tensor]
    tokenizer: Path | None
    suppressed: tuple[int, ...] | None = None
    suppressed_first: tuple[int, ...] | None = None
    alignment_heads: Any = ()  # (layer, head) pairs, as a configuration of ours checks them


def renamed(state: Mapping[str, Tensor], *, origin: Path) -> dict[str, Tensor]:
    """Return the weights our names; float32. Raises CheckpointError for two of one name, and for what is no weight."""
    weights: dict[str, Tensor] = {}
    for name, value in state.items():
        if not isinstance(name, str) or not _is_plain(value):
            raise CheckpointError(
                f"{origin}: '{name}' is no plain tensor of weights. Take the checkpoint as published."
            )
        if _UNUSED.search(name):
            continue
        ours = name
        for theirs, new in _NAMES:
            ours = re.sub(theirs, new, ours)
        if ours in weights:
            raise CheckpointError(f"{origin}: holds '{name}' twice, under two names. Take the checkpoint as published.")
        weights[ours] = value.float()
    return weights


def _is_plain(value: object) -> bool:
    """Return whether it is a tensor of numbers that all lie in memory: a hostile one may repeat one number for ever."""
    return (
        isinstance(value, Tensor)
        and value.layout == torch.strided
        and value.device.type == "cpu"
        and value.is_floating_point()
        and value.nbytes <= value.untyped_storage().nbytes()
    )


def read_hugging_face(folder: Path) -> WhisperCheckpoint:
    """Read a folder with config.json and safetensors; CheckpointError that says what it lacks."""
    if not is_file(folder / "config.json"):
        raise CheckpointError(
            f"{folder}: has no config.json. Name a Hugging Face Whisper folder, or OpenAI's .pt file."
        )
    config = _json(folder / "config.json")
    if config.get("model_type") != "whisper":
        raise CheckpointError(f"{folder}/config.json: model_type is {config.get('model_type')!r}, not 'whisper'.")
    sizes = hugging_face_sizes(config, origin=folder / "config.json")
    files = [file for file in sorted(folder.glob("model*.safetensors")) if is_file(file)]
    if not files:
        raise CheckpointError(f"{folder}: has no model.safetensors. Pickled weights (.bin) are not read; convert them.")
    state: dict[str, Tensor] = {}
    for file in files:
        part = _safetensors(file)
        if doubled := sorted(state.keys() & part.keys()):
            raise CheckpointError(f"{file}: holds {listed(doubled)}, as another file does. Keep one of them.")
        state |= part
    generation = folder / "generation_config.json"
    decoding = config | (_json(generation) if is_file(generation) else {})
    return WhisperCheckpoint(
        sizes,
        renamed(state, origin=folder),
        folder / "tokenizer.json",
        suppressed=_ids(decoding.get("suppress_tokens")),
        suppressed_first=_ids(decoding.get("begin_suppress_tokens")),
        alignment_heads=decoding.get("alignment_heads") or (),
    )


def read_openai(file: Path) -> WhisperCheckpoint:
    """Read OpenAI's .pt; CheckpointError if it is anything else."""
    try:
        _check_archive(file)
        content = torch.load(file, map_location="cpu", weights_only=True)
        dimensions, state = dict(content["dims"]), dict(content["model_state_dict"])
    except Exception as error:  # torch's reader raises whatever a damaged file leads it to
        raise CheckpointError(f"{file}: is not OpenAI's form of a Whisper checkpoint ({error}).") from error
    sizes = openai_sizes(dimensions, origin=file)
    return WhisperCheckpoint(sizes, renamed(state, origin=file), tokenizer=None)


def _check_archive(file: Path) -> None:
    """Raise ValueError for a file whose content takes more memory than its size: compressed, or of torch's old form."""
    with zipfile.ZipFile(file) as archive:
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
            raise ValueError("its content is compressed")


def _safetensors(file: Path) -> dict[str, Tensor]:
    try:
        file.open("rb").close()  # safetensors calls a file that may not be read missing
        tensors: dict[str, Tensor] = load_file(file)
    except (SafetensorError, OSError, KeyError) as error:
        raise CheckpointError(f"{file}: cannot be read ({error}). Copy it again.") from error
    return tensors


def _ids(value: Any) -> tuple[int, ...] | None:
    """Read a list of token ids; Hugging Face writes -1 for 'the usual ones'."""
    return tuple(value) if isinstance(value, list) and -1 not in value else None


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_bytes(path, most=MOST_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: cannot be read ({error}).") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: holds no JSON object.")
    return content
