"""One folder a model: config.yaml, model.safetensors, the vocabulary's file and a model card.

The weights are written last and their header names the architecture that they belong to, so that a folder whose
files stem from two models is found out when it is loaded.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from asr_s2s.config import PartConfig, read_config, write_config
from asr_s2s.errors import CheckpointError, listed
from asr_s2s.features import FeatureConfig, FrontEnd
from asr_s2s.files import atomic_write, write_text
from asr_s2s.model_store.quantize import dequantize, pack, quantize, unpack
from asr_s2s.model_store.undrawn import Undrawn
from asr_s2s.models import ModelConfig, SpeechModel
from asr_s2s.search import SearchConfig, TokenRules
from asr_s2s.text import Vocabulary, VocabularyConfig

FORMAT_VERSION = "1"
CONFIG_FILE = "config.yaml"
WEIGHTS_FILE = "model.safetensors"
CARD_FILE = "README.md"
SCALE = ".scale"
SHIPPED = Path(__file__).parents[1] / "pretrained"

# compact: six bits, and what is widest in a model of words, the table of its embeddings, in five
Storage = Literal["float32", "float16", "int8", "compact"]
EMBEDDING = "decoder.embedding.weight"
# bits, and how many weights share a scale: in so few bits a scale for a whole row is too coarse
EMBEDDING_BITS = (5, 32)
MATRIX_BITS = (6, 64)
PACKED = "packed"  # in the header: which tensors are packed, in how many bits


class ModelDirectoryConfig(PartConfig):
    """Everything needed to rebuild a model, and its decoding defaults."""

    features: FeatureConfig
    vocabulary: VocabularyConfig
    model: ModelConfig
    search: SearchConfig = SearchConfig()

    def fingerprint(self) -> str:
        """Hash what the weights depend on; what only decoding reads may be edited freely."""
        decoding: Any = {
            "search": True,
            "vocabulary": {"no_speech"},
            "features": {"tail_seconds"},
            "model": {"silence": True, "decoder": {"alignment_heads"}},
        }
        parts = self.model_dump(mode="json", exclude=decoding)
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class SpeechSystem:
    """A model with the front end and vocabulary that it was trained with."""

    name: str
    config: ModelDirectoryConfig
    front_end: FrontEnd
    model: SpeechModel
    vocabulary: Vocabulary

    @property
    def token_rules(self) -> TokenRules:
        """What a search must know of the vocabulary."""
        words = self.vocabulary
        return TokenRules(
            start_tokens=words.start_tokens,
            end_token=words.end_token,
            suppressed=words.suppressed,
            suppressed_first=words.suppressed_first,
            blank_token=words.blank_token,
            no_speech_token=words.no_speech_token,
        )


def build_system(config: ModelDirectoryConfig, vocabulary: Vocabulary, *, name: str) -> SpeechSystem:
    """Build a system with fresh weights."""
    front_end = config.features.build()
    model = config.model.build(front_end.num_mels, vocabulary.size)
    return SpeechSystem(name=name, config=config, front_end=front_end, model=model, vocabulary=vocabulary)


def rebuilt(system: SpeechSystem, config: ModelDirectoryConfig) -> SpeechSystem:
    """Give a system with the same weights and another configuration, in which weights have the same shapes."""
    with Undrawn():
        other = build_system(config, system.vocabulary, name=system.name)
    _network(other).load_state_dict(_network(system).state_dict())
    other.model.eval()
    other.front_end.eval()
    return other


def save_model(folder: Path, system: SpeechSystem, *, card: str, storage: Storage = "float32") -> None:
    """Write a model directory, each file whole or not at all.

    card: the text of README.md: data, licences, scores with the command that measured them
    """
    write_config(folder / CONFIG_FILE, system.config)
    system.vocabulary.write(folder)
    write_text(folder / CARD_FILE, card)
    stored, packed = _stored(_network(system).state_dict(), storage)
    header = {"format": FORMAT_VERSION, "storage": storage, "architecture": system.config.fingerprint()}
    header |= {PACKED: json.dumps(packed)} if packed else {}
    with atomic_write(folder / WEIGHTS_FILE) as temporary:
        save_file(stored, temporary, metadata=header)


def load_model(model: str | Path) -> SpeechSystem:
    """Load a shipped model by its name, or a model directory.

    Raises CheckpointError if there is no such model, or its weights are not those of its configuration.
    """
    folder = model_folder(model)
    config = read_config(folder / CONFIG_FILE, ModelDirectoryConfig)
    with Undrawn():
        system = build_system(config, config.vocabulary.read(folder), name=folder.name)
    stored = _read_weights(folder / WEIGHTS_FILE, fingerprint=config.fingerprint())
    fill(_network(system), stored, origin=folder / WEIGHTS_FILE, advice=f"{CONFIG_FILE} or the weights are damaged.")
    system.model.eval()
    system.front_end.eval()
    return system


def read_card(model: str | Path) -> str:
    """Give a model's card; empty if it has none."""
    path = model_folder(model) / CARD_FILE
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def model_folder(model: str | Path) -> Path:
    """Find the folder of a shipped name or a path; CheckpointError that lists the names if there is none."""
    shipped = SHIPPED / str(model)
    folder = shipped if str(model) in available_models() else Path(model)
    if not folder.is_dir():
        raise CheckpointError(
            f"{model}: is neither a shipped model ({', '.join(available_models())}) nor a folder. "
            "Give one of these names, or the path of a model directory."
        )
    missing = [name for name in (CONFIG_FILE, WEIGHTS_FILE) if not (folder / name).is_file()]
    if missing:
        raise CheckpointError(f"{folder}: is no complete model directory, {listed(missing)} is missing.")
    return folder


def available_models() -> list[str]:
    """List the models inside the package."""
    return sorted(path.parent.name for path in SHIPPED.glob(f"*/{WEIGHTS_FILE}"))


def _network(system: SpeechSystem) -> nn.ModuleDict:
    """Join what has weights: a front end may hold the statistics of its training set."""
    return nn.ModuleDict({"model": system.model, "front_end": system.front_end})


def _stored(state: dict[str, Tensor], storage: Storage) -> tuple[dict[str, Tensor], dict[str, int]]:
    """Narrow what is large: weights with two axes or more; the rest is a thousandth of the size and stays whole.

    returns: what is written, by name, and the bits of each tensor that is packed
    """
    stored: dict[str, Tensor] = {}
    packed: dict[str, int] = {}
    for name, value in state.items():
        tensor = value.detach().cpu().contiguous()
        if storage == "float32" or tensor.dim() < 2 or not tensor.is_floating_point():
            stored[name] = tensor
        elif storage == "float16":
            stored[name] = tensor.to(torch.float16)
        else:
            bits, group = EMBEDDING_BITS if name.endswith(EMBEDDING) else MATRIX_BITS
            if storage == "compact" and tensor.dim() == 2 and tensor.size(1) % group == 0:
                values, scale = quantize(tensor.reshape(-1, group), bits=bits)
                stored[name], packed[name] = pack(values.view(tensor.shape), bits=bits), bits
                stored[name + SCALE] = scale.view(len(tensor), -1).to(torch.float16)
            else:
                stored[name], stored[name + SCALE] = quantize(tensor)
    return stored, packed


def _read_weights(path: Path, *, fingerprint: str) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path}: cannot be read ({error}). The file is damaged; copy or train it again."
        ) from error
    if header.get("format") != FORMAT_VERSION:
        raise CheckpointError(
            f"{path}: has format {header.get('format')}, this version reads {FORMAT_VERSION}. "
            "It was written by another version of asr-s2s, or by another program."
        )
    if header.get("architecture") != fingerprint:
        raise CheckpointError(
            f"{path}: was not saved with the {CONFIG_FILE} beside it (features, vocabulary or model differ). "
            "Take both files from the same model; only the 'search' section may be edited."
        )
    for name, bits in json.loads(header.get(PACKED, "{}")).items():
        tensors[name] = unpack(tensors[name], bits=bits)
    wide = {name: tensor for name, tensor in tensors.items() if not name.endswith(SCALE)}
    scales = {name.removesuffix(SCALE): tensor for name, tensor in tensors.items() if name.endswith(SCALE)}
    return {
        name: dequantize(tensor, scales[name])
        if name in scales
        else tensor.float()
        if tensor.is_floating_point()
        else tensor
        for name, tensor in wide.items()
    }


def fill(module: nn.Module, stored: dict[str, Tensor], *, origin: Path, advice: str) -> None:
    """Load weights after every name and size was compared; CheckpointError that lists what differs."""
    wanted = module.state_dict()
    faults = [f"{name} is missing" for name in wanted.keys() - stored.keys()]
    faults += [f"{name} is unknown" for name in stored.keys() - wanted.keys()]
    faults += [
        f"{name} has shape {tuple(stored[name].shape)} instead of {tuple(wanted[name].shape)}"
        for name in wanted.keys() & stored.keys()
        if stored[name].shape != wanted[name].shape
    ]
    if faults:
        raise CheckpointError(f"{origin}: does not fit: {listed(sorted(faults))}. {advice}")
    module.load_state_dict(stored, assign=True)
