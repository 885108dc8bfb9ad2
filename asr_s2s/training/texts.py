"""Lines of text to train a language model on: read, held apart, spelled in tokens, put into batches."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from pydantic import Field, PositiveInt

from asr_s2s.config import PartConfig
from asr_s2s.errors import ConfigError, listed
from asr_s2s.inputs import read_text
from asr_s2s.manifest import read_manifest
from asr_s2s.model_store.directory import load_model
from asr_s2s.text import CharactersConfig, CharacterVocabulary, Vocabulary, VocabularyConfig


class TextConfig(PartConfig):
    """Texts, and whose tokens they are spelled in.

    vocabulary_of: the recogniser that the language model shall help; None: the characters of the texts
    """

    # manifests (.jsonl), of which the texts are taken, or plain text, a sentence a line
    train: tuple[str, ...] = Field(strict=False, min_length=1)
    dev: tuple[str, ...] = Field(default=(), strict=False)  # the same, to choose by; default: a share of the lines
    dev_share: float = Field(default=0.02, gt=0, lt=1)  # share of the lines that is held out, where dev names none
    vocabulary_of: str | None = None
    lowercase: bool = False  # of characters of the texts
    batch_tokens: PositiveInt = 4096  # tokens in a batch, padding included
    max_tokens: PositiveInt = 400  # a longer line is left out


@dataclass(frozen=True)
class SpelledLines:
    """Lines that a model can learn, with their tokens, and how many of those that were given it cannot.

    unknown: characters that the vocabulary cannot spell, each once
    """

    texts: list[str]
    tokens: list[list[int]]
    num_unspelled: int
    num_long: int
    unknown: list[str]

    @property
    def left_out(self) -> str:
        """Say which lines are left out and why; nothing where all are there."""
        causes = []
        if self.num_unspelled:
            causes.append(f"{self.num_unspelled} that the vocabulary cannot spell ({listed(self.unknown)})")
        if self.num_long:
            causes.append(f"{self.num_long} longer than data.max_tokens")
        return " and ".join(causes)


def held_apart(
    config: TextConfig, *, seed: int, warn: Callable[[str], None] = lambda _: None
) -> tuple[list[str], list[str]]:
    """Read the lines to train on and those that are held out; what is held out is not trained on, not even once.

    warn: is told of lines that are left out for it
    """
    train = [line for name in config.train for line in _lines(Path(name))]
    dev = [line for name in config.dev for line in _lines(Path(name))]
    if not dev:
        distinct = list(dict.fromkeys(train))
        random = np.random.default_rng(seed)
        count = max(1, round(config.dev_share * len(distinct)))
        dev = [distinct[place] for place in random.permutation(len(distinct))[:count]]
    held_out = set(dev)
    learned = [line for line in train if line not in held_out]
    repeated = len(train) - len(learned) - (0 if config.dev else len(dev))
    if repeated:
        warn(f"{repeated} of {len(train)} training lines are the same as held-out ones, and are left out")
    return learned, dev


def _lines(path: Path) -> Iterator[str]:
    if path.suffix == ".jsonl":
        yield from (" ".join(item.text.split()) for item in read_manifest(path) if item.text and item.text.strip())
    else:
        text = read_text(path, error=ConfigError, advice="Name a file of text, or a manifest (.jsonl).")
        yield from (" ".join(line.split()) for line in text.splitlines() if line.strip())


def vocabulary_for(config: TextConfig, texts: Sequence[str]) -> tuple[VocabularyConfig, Vocabulary]:
    """Take the vocabulary of the recogniser that is to be helped, or the characters of the texts."""
    if config.vocabulary_of is None:
        kind = CharactersConfig(kind="characters", lowercase=config.lowercase)
        return kind, CharacterVocabulary.from_texts(texts, lowercase=config.lowercase)
    helped = load_model(config.vocabulary_of)
    return helped.config.vocabulary, helped.vocabulary


def spelled(vocabulary: Vocabulary, texts: Sequence[str], *, max_tokens: int) -> SpelledLines:
    """Spell the lines that can be, of at most so many tokens, and count the others."""
    kept, tokens, num_long, num_unspelled = [], [], 0, 0
    unknown: dict[str, None] = {}
    for text in texts:
        if missing := vocabulary.unknown(text):
            unknown |= dict.fromkeys(missing)
            num_unspelled += 1
        elif len(line := vocabulary.encode(text)) > max_tokens:
            num_long += 1
        else:
            kept.append(text)
            tokens.append(line)
    return SpelledLines(kept, tokens, num_unspelled, num_long, list(unknown))


def windows(rows: Sequence[int], lengths: Sequence[int], *, limit: int) -> list[list[int]]:
    """Cut rows into groups of at most so many tokens."""
    reached = np.cumsum([lengths[row] for row in rows])
    edges = [0, *(np.flatnonzero(np.diff(reached // limit)) + 1).tolist(), len(rows)]
    return [list(rows[first:end]) for first, end in pairwise(edges) if end > first]
