"""What every vocabulary can do: spell a text in token ids and read ids back."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Protocol

from pydantic import Field

from asr_s2s.errors import VocabularyError
from asr_s2s.inputs import read_text

MOST_TOKENS = 1_000_000  # several times what any published model has
MOST_BYTES = 40_000_000  # of a vocabulary's file

Names = Annotated[tuple[str, ...], Field(strict=False, max_length=1000)]  # in a model's configuration


class Vocabulary(Protocol):
    """Tokens with their ids, and which of them the search starts with, ends with and must not emit."""

    @property
    def size(self) -> int:
        """The number of ids, which is the width of the model's logits."""
        ...

    @property
    def fingerprint(self) -> str:
        """A name of the tokens and their ids: two vocabularies that spell alike have the same."""
        ...

    @property
    def start_tokens(self) -> tuple[int, ...]:
        """What the decoder is given before the first token of a text."""
        ...

    @property
    def languages(self) -> tuple[str, ...]:
        """The codes of the languages that its model knows; none where nobody said so."""
        ...

    @property
    def language_tokens(self) -> Mapping[str, int]:
        """The start token that names each language, by its code; empty where the start names none."""
        ...

    @property
    def task_tokens(self) -> Mapping[str, int]:
        """The start token that names each task, such as translate; empty where the start names none."""
        ...

    @property
    def previous_token(self) -> int | None:
        """What stands before a text that was said earlier, where the model has a place for it."""
        ...

    @property
    def end_token(self) -> int:
        """What the decoder emits after the last token."""
        ...

    @property
    def blank_token(self) -> int | None:
        """CTC's blank, where the vocabulary has one."""
        ...

    @property
    def no_speech_token(self) -> int | None:
        """What a model says where nobody speaks, where the vocabulary has such a token."""
        ...

    @property
    def suppressed(self) -> tuple[int, ...]:
        """Tokens that a search never emits."""
        ...

    @property
    def suppressed_first(self) -> tuple[int, ...]:
        """Tokens that a search does not emit as the first one."""
        ...

    def encode(self, text: str) -> list[int]:
        """Spell a text, without start and end tokens; VocabularyError names the characters it cannot spell."""
        ...

    def spelled(self, character: str) -> list[int]:
        """Return the tokens of one character within a word; none if it cannot be spelled."""
        ...

    def decode(self, tokens: Sequence[int]) -> str:
        """Read tokens back; special ones leave no trace in the text."""
        ...

    def unknown(self, text: str) -> list[str]:
        """List the characters of a text that encode would refuse, each once, in order of appearance."""
        ...

    def write(self, folder: Path) -> None:
        """Write the vocabulary's file into a model directory, whole or not at all."""
        ...


def unknown_characters(texts: Iterable[tuple[str, str]], vocabulary: Vocabulary) -> dict[str, list[str]]:
    """Find every character that the vocabulary cannot spell, with the ids of the utterances that hold it.

    texts: pairs of (utterance id, text)
    """
    found: dict[str, list[str]] = {}
    for utterance_id, text in texts:
        for character in vocabulary.unknown(text):
            found.setdefault(character, []).append(utterance_id)
    return found


def read_utf8(path: Path) -> str:
    """Read a vocabulary's file; VocabularyError says why it cannot be read."""
    return read_text(path, error=VocabularyError, advice="A model directory needs it.", most=MOST_BYTES)


def digest_of(*parts: str) -> str:
    """Hash texts in their order."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def token_texts(vocabulary: Vocabulary) -> list[str]:
    """Return what each token adds to a text that has begun: a first token alone would lose its space."""
    begun = vocabulary.encode("a")
    before = len(vocabulary.decode(begun))
    return [vocabulary.decode([*begun, token])[before:] for token in range(vocabulary.size)]
