"""A model directory without its network: what recognising needs beside an engine. No torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from asr_s2s.config import Config, PartConfig, read_config
from asr_s2s.decoding import SearchConfig
from asr_s2s.errors import CheckpointError, ConfigError
from asr_s2s.model_store.folders import model_folder
from asr_s2s.model_store.stored import CONFIG_FILE, check_complete
from asr_s2s.text import Vocabulary, VocabularyConfig


class OpenedConfig(PartConfig):
    """A model's configuration, in which the network stays plain data: torch alone can check it."""

    input: dict[str, Any]
    vocabulary: VocabularyConfig
    model: dict[str, Any]
    search: SearchConfig = SearchConfig()


class _OpenedLanguageConfig(PartConfig):
    kind: Literal["language_model"]
    vocabulary: VocabularyConfig
    model: dict[str, Any]


@dataclass(frozen=True)
class OpenedModel:
    """A speech model's directory."""

    folder: Path
    vocabulary: Vocabulary
    config: OpenedConfig

    @property
    def search(self) -> SearchConfig:
        """The decoding defaults."""
        return self.config.search

    @property
    def name(self) -> str:
        """The model's name."""
        return self.folder.name


@dataclass(frozen=True)
class OpenedLanguageModel:
    """A language model's directory."""

    folder: Path
    vocabulary: Vocabulary


def open_model(model: str | Path) -> OpenedModel:
    """Open a shipped model by its name, or a model directory. Raises CheckpointError if there is no such model."""
    folder = model_folder(model)
    config = read_config(folder / CONFIG_FILE, OpenedConfig, older=True)
    return OpenedModel(folder, config.vocabulary.read(folder), config)


def open_language_model(folder: Path) -> OpenedLanguageModel:
    """Open a language model's directory. Raises CheckpointError if the folder holds none."""
    return OpenedLanguageModel(folder, read_language_config(folder, _OpenedLanguageConfig).vocabulary.read(folder))


def read_language_config(folder: Path, kind: type[Config]) -> Config:
    """Read a language model's configuration. Raises CheckpointError if the folder holds none."""
    check_complete(folder)
    try:
        return read_config(folder / CONFIG_FILE, kind)
    except ConfigError as error:
        raise CheckpointError(
            f"{folder}: holds no language model ({error}). Train one: asr-s2s train conf/language_model.yaml."
        ) from error


def check_same_vocabulary(
    vocabulary: Vocabulary, language: Vocabulary, *, recogniser: str, language_model: str
) -> None:
    """Raise ConfigError unless a language model spells as the recogniser does."""
    if language.fingerprint != vocabulary.fingerprint:
        raise ConfigError(
            f"the language model '{language_model}' has another vocabulary ({language.size} tokens) than "
            f"the recogniser '{recogniser}' ({vocabulary.size} tokens). Train one for it: asr-s2s train "
            f"conf/language_model.yaml data.vocabulary_of={recogniser}."
        )
