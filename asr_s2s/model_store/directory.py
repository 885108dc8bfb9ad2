"""One folder a model: config.yaml, model.safetensors, the vocabulary's file and a model card.

The weights are written last and their header names the architecture that they belong to, so that a folder whose
files stem from two models is found out when it is loaded.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from asr_s2s.config import PartConfig, read_config, write_config
from asr_s2s.decoding import SearchConfig
from asr_s2s.features import FrontEnd, InputConfig
from asr_s2s.files import write_text
from asr_s2s.model_store.folders import CARD_FILE, model_folder
from asr_s2s.model_store.loading import load_into
from asr_s2s.model_store.skip_init import SkipInit
from asr_s2s.model_store.stored import CONFIG_FILE, WEIGHTS_FILE, open_weights
from asr_s2s.model_store.weights import Storage, fingerprint_of, write_weights
from asr_s2s.models import ModelConfig, SpeechModel
from asr_s2s.text import Vocabulary, VocabularyConfig


class ModelDirectoryConfig(PartConfig):
    """Everything needed to rebuild a model, and its decoding defaults."""

    input: InputConfig
    vocabulary: VocabularyConfig
    model: ModelConfig
    search: SearchConfig = SearchConfig()

    def fingerprint(self) -> str:
        """Hash what the weights depend on; what only decoding reads may be edited freely."""
        decoding: Any = {
            "search": True,
            "vocabulary": {"no_speech", "languages", "tasks", "previous"},
            "input": {"tail_seconds"},
            "model": {"silence": True, "decoder": {"alignment_heads"}},
        }
        parts = self.model_dump(mode="json", exclude=decoding)
        encoder = parts["model"]["encoder"]
        # under the names that these keys had when the first weights were saved
        parts["features"], encoder["subsampling"] = parts.pop("input"), encoder.pop("stem")
        return fingerprint_of(parts)


@dataclass(frozen=True)
class SpeechSystem:
    """A model with the front end and vocabulary that it was trained with."""

    name: str
    config: ModelDirectoryConfig
    front_end: FrontEnd
    model: SpeechModel
    vocabulary: Vocabulary
    folder: Path | None = None  # that the model, or the one that it was made from, was loaded from


def build_system(
    config: ModelDirectoryConfig, vocabulary: Vocabulary, *, name: str, folder: Path | None = None
) -> SpeechSystem:
    """Build a system with fresh weights."""
    front_end = config.input.build()
    model = config.model.build(front_end.feature_size, vocabulary.size)
    return SpeechSystem(name, config, front_end, model, vocabulary, folder)


def rebuilt(system: SpeechSystem, config: ModelDirectoryConfig) -> SpeechSystem:
    """Return a system with the same weights and another configuration, in which weights have the same shapes."""
    with SkipInit():
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
    fingerprint = system.config.fingerprint()
    write_weights(folder / WEIGHTS_FILE, _network(system), storage=storage, fingerprint=fingerprint)


def load_model(model: str | Path) -> SpeechSystem:
    """Load a shipped model by its name, or a model directory.

    Raises CheckpointError if there is no such model, or its weights are not those of its configuration.
    """
    folder = model_folder(model)
    config = read_config(folder / CONFIG_FILE, ModelDirectoryConfig, older=True)
    vocabulary = config.vocabulary.read(folder)
    stored = open_weights(folder / WEIGHTS_FILE, fingerprint=config.fingerprint())
    with SkipInit(stored.shapes.values(), origin=folder / CONFIG_FILE):
        system = build_system(config, vocabulary, name=folder.name, folder=folder)
    load_into(_network(system), stored)
    system.model.eval()
    system.front_end.eval()
    return system


def _network(system: SpeechSystem) -> nn.ModuleDict:
    """Join what has weights: a front end may hold the statistics of its training set."""
    return nn.ModuleDict({"model": system.model, "front_end": system.front_end})
