"""A language model's folder: config.yaml of kind language_model, model.safetensors, the vocabulary's file, a card."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from asr_s2s.config import PartConfig, write_config
from asr_s2s.files import write_text
from asr_s2s.model_store.loading import load_into
from asr_s2s.model_store.opened import read_language_config
from asr_s2s.model_store.skip_init import SkipInit
from asr_s2s.model_store.stored import CONFIG_FILE, WEIGHTS_FILE, open_weights
from asr_s2s.model_store.weights import fingerprint_of, write_weights
from asr_s2s.models import LanguageModel, LanguageModelConfig
from asr_s2s.text import Vocabulary, VocabularyConfig


class LanguageDirectoryConfig(PartConfig):
    """Everything needed to rebuild a language model."""

    kind: Literal["language_model"]
    vocabulary: VocabularyConfig
    model: LanguageModelConfig

    def fingerprint(self) -> str:
        """Hash what the weights depend on."""
        return fingerprint_of(self.model_dump(mode="json"))


@dataclass(frozen=True)
class LanguageSystem:
    """A language model with the vocabulary that it was trained with."""

    name: str
    config: LanguageDirectoryConfig
    model: LanguageModel
    vocabulary: Vocabulary


def save_language_model(folder: Path, system: LanguageSystem, *, card: str) -> None:
    """Write a language model's folder, each file whole or not at all; card is the text of its README.md."""
    write_config(folder / CONFIG_FILE, system.config)
    system.vocabulary.write(folder)
    write_text(folder / "README.md", card)
    fingerprint = system.config.fingerprint()
    write_weights(folder / WEIGHTS_FILE, system.model, storage="float32", fingerprint=fingerprint)


def load_language_model(folder: Path) -> LanguageSystem:
    """Load a language model.

    Raises CheckpointError if the folder holds none, or its weights are not those of its configuration.
    """
    config = read_language_config(folder, LanguageDirectoryConfig)
    vocabulary = config.vocabulary.read(folder)
    stored = open_weights(folder / WEIGHTS_FILE, fingerprint=config.fingerprint())
    with SkipInit(stored.shapes.values(), origin=folder / CONFIG_FILE):
        model = config.model.build(vocabulary.size)
    load_into(model, stored)
    return LanguageSystem(folder.name, config, model.eval(), vocabulary)
