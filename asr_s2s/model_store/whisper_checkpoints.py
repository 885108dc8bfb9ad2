"""Whisper checkpoints as they are published, brought to our names: OpenAI's .pt and Hugging Face's folder.

A .pt is read with weights-only loading: tensors and sizes alone, no code.
"""

import json
import pickle
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from asr_s2s.errors import CheckpointError

# Hugging Face's names first, then OpenAI's; the order of the pairs does not matter
_NAMES = [
    (r"(model\.)?encoder\.conv1\.", "encoder.subsampling.convolutions.0."),
    (r"(model\.)?encoder\.conv2\.", "encoder.subsampling.convolutions.1."),
    (r"(model\.)?(encoder|decoder)\.(layers|blocks)\.", r"\2.layers."),
    (r"(model\.)?encoder\.(layer_norm|ln_post)\.", "encoder.norm."),
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
# encoder positions are computed; the output layer is the embedding; the last two are not weights
_UNUSED = re.compile(
    r"(model\.)?encoder\.(embed_positions\.weight|positional_embedding)$|proj_out\.weight$|^alignment_heads$"
)


@dataclass(frozen=True)
class WhisperSizes:
    """What a checkpoint says of its network."""

    num_mels: int
    channels: int
    encoder_heads: int
    encoder_layers: int
    encoder_feedforward: int
    decoder_heads: int
    decoder_layers: int
    decoder_feedforward: int
    max_tokens: int
    vocabulary_size: int


@dataclass(frozen=True)
class WhisperCheckpoint:
    """Sizes and weights, under our names; what the publisher wrote of its tokens, if anything."""

    sizes: WhisperSizes
    state: dict[str, Tensor]
    tokenizer: Path | None
    suppressed: tuple[int, ...] | None = None
    suppressed_first: tuple[int, ...] | None = None


def renamed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Give the weights our names; float32."""
    weights = {}
    for name, value in state.items():
        if _UNUSED.search(name):
            continue
        ours = name
        for theirs, new in _NAMES:
            ours = re.sub(theirs, new, ours)
        weights[ours] = value.float()
    return weights


def read_hugging_face(folder: Path) -> WhisperCheckpoint:
    """Read a folder with config.json and safetensors; CheckpointError that says what it lacks."""
    if not (folder / "config.json").is_file():
        raise CheckpointError(
            f"{folder}: has no config.json. Name a Hugging Face Whisper folder, or OpenAI's .pt file."
        )
    config = _json(folder / "config.json")
    if config.get("model_type") != "whisper":
        raise CheckpointError(f"{folder}/config.json: model_type is {config.get('model_type')!r}, not 'whisper'.")
    state: dict[str, Tensor] = {}
    files = sorted(folder.glob("model*.safetensors"))
    if not files:
        raise CheckpointError(f"{folder}: has no model.safetensors. Pickled weights (.bin) are not read; convert them.")
    for file in files:
        state |= load_file(file)
    sizes = WhisperSizes(
        num_mels=config["num_mel_bins"],
        channels=config["d_model"],
        encoder_heads=config["encoder_attention_heads"],
        encoder_layers=config["encoder_layers"],
        encoder_feedforward=config["encoder_ffn_dim"],
        decoder_heads=config["decoder_attention_heads"],
        decoder_layers=config["decoder_layers"],
        decoder_feedforward=config["decoder_ffn_dim"],
        max_tokens=config["max_target_positions"],
        vocabulary_size=config["vocab_size"],
    )
    generation = folder / "generation_config.json"
    decoding = config | (_json(generation) if generation.is_file() else {})
    return WhisperCheckpoint(
        sizes,
        renamed(state),
        folder / "tokenizer.json",
        suppressed=_ids(decoding.get("suppress_tokens")),
        suppressed_first=_ids(decoding.get("begin_suppress_tokens")),
    )


def read_openai(file: Path) -> WhisperCheckpoint:
    """Read OpenAI's .pt; CheckpointError if it is anything else."""
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
        sizes, state = content["dims"], content["model_state_dict"]
    except (pickle.UnpicklingError, RuntimeError, KeyError, TypeError, EOFError, OSError) as error:
        raise CheckpointError(f"{file}: is not OpenAI's form of a Whisper checkpoint ({error}).") from error
    return WhisperCheckpoint(
        WhisperSizes(
            num_mels=sizes["n_mels"],
            channels=sizes["n_audio_state"],
            encoder_heads=sizes["n_audio_head"],
            encoder_layers=sizes["n_audio_layer"],
            encoder_feedforward=4 * sizes["n_audio_state"],
            decoder_heads=sizes["n_text_head"],
            decoder_layers=sizes["n_text_layer"],
            decoder_feedforward=4 * sizes["n_text_state"],
            max_tokens=sizes["n_text_ctx"],
            vocabulary_size=sizes["n_vocab"],
        ),
        renamed(state),
        tokenizer=None,
    )


def _ids(value: Any) -> tuple[int, ...] | None:
    """Read a list of token ids; Hugging Face writes -1 for 'the usual ones'."""
    return tuple(value) if isinstance(value, list) and -1 not in value else None


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}: cannot be read ({error}).") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: holds no JSON object.")
    return content
