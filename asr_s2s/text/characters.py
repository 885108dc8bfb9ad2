"""Character vocabularies of any alphabet, kept as tokens.txt: one token a line, in the order of their ids.

A character is a Unicode code point of a text in composed form (NFC), with single spaces between words.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Literal, Self

from asr_s2s.config import PartConfig
from asr_s2s.errors import VocabularyError, listed
from asr_s2s.files import write_text
from asr_s2s.text.marks import letters_only
from asr_s2s.text.vocabulary import Names, digest_of, read_utf8

FILE_NAME = "tokens.txt"
SPECIALS = ("<blank>", "<s>", "</s>", "<unk>", "<space>")
BLANK, START, END, UNKNOWN, SPACE = range(len(SPECIALS))


class CharacterVocabulary:
    """Characters and their ids; tokens are the lines of tokens.txt, the five special ones first."""

    start_tokens: tuple[int, ...] = (START,)
    end_token: int = END
    blank_token: int | None = BLANK
    no_speech_token: int | None = None
    suppressed: tuple[int, ...] = (BLANK, START, UNKNOWN)
    suppressed_first: tuple[int, ...] = ()
    language_tokens: Mapping[str, int] = MappingProxyType({})
    task_tokens: Mapping[str, int] = MappingProxyType({})
    previous_token: int | None = None

    def __init__(self, tokens: tuple[str, ...], *, lowercase: bool, languages: tuple[str, ...] = ()) -> None:
        assert tokens[: len(SPECIALS)] == SPECIALS, "special tokens have fixed ids"
        self.tokens = tokens
        self.lowercase = lowercase
        self.languages = languages
        self._characters = ("", "", "", "", " ", *tokens[len(SPECIALS) :])
        self._ids = {character: index for index, character in enumerate(self._characters) if character}

    @classmethod
    def from_texts(cls, texts: Iterable[str], *, lowercase: bool = False) -> Self:
        """Collect the characters of a training set; their order, and so their ids, does not depend on the texts'."""
        characters = {character for text in texts for character in normalized(text, lowercase=lowercase)}
        return cls((*SPECIALS, *sorted(characters - {" "})), lowercase=lowercase)

    @classmethod
    def read(cls, folder: Path, *, lowercase: bool, languages: tuple[str, ...] = ()) -> Self:
        """Read tokens.txt from a model directory; VocabularyError names its broken lines."""
        path = folder / FILE_NAME
        # str.splitlines would also split at characters that are no line ends in a text file
        tokens = tuple(line.removesuffix("\r") for line in read_utf8(path).removesuffix("\n").split("\n"))
        if faults := _faults(tokens, lowercase=lowercase):
            raise VocabularyError(f"{path}: {len(faults)} broken line(s): {listed(faults)}. One token a line.")
        return cls(tokens, lowercase=lowercase, languages=languages)

    @property
    def size(self) -> int:
        """The number of ids."""
        return len(self.tokens)

    @property
    def fingerprint(self) -> str:
        """A name of the tokens and their ids."""
        return digest_of(*self.tokens, "lowercase" if self.lowercase else "")

    def encode(self, text: str) -> list[int]:
        """Spell a text, without start and end tokens; VocabularyError names the characters it cannot spell."""
        if unknown := self.unknown(text):
            raise VocabularyError(
                f"the vocabulary has no {listed([described(character) for character in unknown])}, "
                f"needed for '{text}'. Correct the text, or make a new vocabulary from texts that hold them."
            )
        return [self._ids[character] for character in normalized(text, lowercase=self.lowercase)]

    def spelled(self, character: str) -> list[int]:
        """Return the token of a character, none for one that the vocabulary lacks."""
        return [self._ids[character]] if character in self._ids else []

    def decode(self, tokens: Sequence[int]) -> str:
        """Read tokens back; special ones leave no trace, spaces stay where they are."""
        return "".join(self._characters[token] for token in tokens)

    def unknown(self, text: str) -> list[str]:
        """List the characters of a text that encode would refuse, each once, in order of appearance."""
        characters = dict.fromkeys(normalized(text, lowercase=self.lowercase))
        return [character for character in characters if character not in self._ids]

    def write(self, folder: Path) -> None:
        """Write tokens.txt into a model directory, whole or not at all."""
        write_text(folder / FILE_NAME, "\n".join(self.tokens) + "\n")


class CharactersConfig(PartConfig):
    """A character vocabulary; lowercase folds the texts, for corpora that keep no case."""

    kind: Literal["characters"]
    lowercase: bool = False  # fold the texts to lower case
    languages: Names = ()  # that the model knows, if that is said

    def read(self, folder: Path) -> CharacterVocabulary:
        """Read the vocabulary from a model directory."""
        return CharacterVocabulary.read(folder, lowercase=self.lowercase, languages=self.languages)


def normalized(text: str, *, lowercase: bool) -> str:
    """Compose characters (NFC), lower their case if asked, and leave single spaces between words."""
    text = unicodedata.normalize("NFC", text)
    if lowercase:
        # 'İ' would become an 'i' and a loose dot above; 'ß' stays, which casefold would turn into 'ss'
        text = unicodedata.normalize("NFC", text.replace("İ", "i").lower())
    return " ".join(text.split())


def plain(text: str) -> str:
    """Return the letters and digits of a text, so that case, blanks and punctuation make no other text of it."""
    return "".join(letters_only(unicodedata.normalize("NFC", text.casefold())).split())


def described(character: str) -> str:
    """Show a character so that an invisible one can be found too: 'ï' (U+00EF)."""
    shown = f"'{character}' " if character.isprintable() else ""
    name = unicodedata.name(character, "")
    return f"{shown}(U+{ord(character):04X}{' ' + name if name else ''})"


def _faults(tokens: tuple[str, ...], *, lowercase: bool) -> list[str]:
    faults = []
    first_lines: dict[str, int] = {}
    for line, token in enumerate(tokens, start=1):
        if line <= len(SPECIALS):
            if token != SPECIALS[line - 1]:
                faults.append(f"line {line} must be {SPECIALS[line - 1]}, not '{token}'")
        elif token in first_lines:
            faults.append(f"line {line} repeats '{token}' of line {first_lines[token]}")
        elif len(token) != 1:
            faults.append(f"line {line} holds '{token}', not one character")
        elif normalized(token, lowercase=lowercase) != token:
            faults.append(f"line {line} holds {described(token)}, which no normalised text contains")
        first_lines.setdefault(token, line)
    if len(tokens) < len(SPECIALS):
        faults.append(f"the file ends before {listed(list(SPECIALS[len(tokens) :]))}")
    return faults
