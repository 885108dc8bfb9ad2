"""Byte-pair vocabularies, kept as a tokenizer.json of Hugging Face's tokenizers: imported Whisper models need them.

Sennrich, Haddow and Birch 2016, "Neural Machine Translation of Rare Words with Subword Units".
Provilkov 2020: Provilkov, Emelianenko, Voita, "BPE-dropout: simple and effective subword regularization", ACL 2020.
"""

import json
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field
from tokenizers import Tokenizer

from asr_s2s.config import PartConfig
from asr_s2s.errors import VocabularyError, listed
from asr_s2s.files import write_text
from asr_s2s.text.vocabulary import MOST_TOKENS, Names, digest_of, read_utf8

FILE_NAME = "tokenizer.json"


class BytePairVocabulary:
    """Byte pairs spell any text; what a model was told in its prompt is named by special tokens such as <|en|>."""

    blank_token: int | None = None

    def __init__(
        self,
        tokenizer: Tokenizer,
        *,
        size: int | None,
        prompt: Sequence[str],
        end: str,
        no_speech: str | None,
        suppressed: tuple[int, ...],
        suppressed_first: tuple[int, ...],
        languages: tuple[str, ...] = (),
        tasks: tuple[str, ...] = (),
        previous: str | None = None,
    ) -> None:
        # a start that names no language, or no task, has no place for another
        named_languages = languages if _places(prompt, languages) else ()
        named_tasks = tasks if _places(prompt, tasks) else ()
        special = [*prompt, end, *(token for token in (no_speech, previous) if token is not None)]
        special += [_named(name) for name in (*named_languages, *named_tasks)]
        ids: dict[str, Any] = {token: tokenizer.token_to_id(token) for token in special}
        if missing := [token for token, index in ids.items() if index is None]:
            raise VocabularyError(
                f"{FILE_NAME} has no {listed(missing)}. "
                "Correct vocabulary.prompt, end, no_speech, languages, tasks and previous."
            )
        named = tokenizer.get_vocab_size()
        if size is not None and size < named:
            raise VocabularyError(f"vocabulary.size {size} is too small: {FILE_NAME} has tokens up to id {named - 1}.")
        self.size: int = named if size is None else size
        used = (*tokenizer.get_vocab().values(), *suppressed, *suppressed_first)
        if wrong := [index for index in used if not 0 <= index < self.size]:
            raise VocabularyError(
                f"{FILE_NAME} or vocabulary.suppressed hold the id {wrong[0]}, and ids go from 0 to {self.size - 1}. "
                "They belong to another model, or were changed by hand."
            )
        tokenizer.no_truncation()  # a text is never shortened, or filled up
        tokenizer.no_padding()
        tokenizer.encode_special_tokens = True  # '<|en|>' in a text is text, not a command
        self._tokenizer = tokenizer
        # timestamps such as <|0.02|> are added tokens that not every tokenizer.json calls special
        self._silent = {
            index for index, token in tokenizer.get_added_tokens_decoder().items() if token.content.startswith("<|")
        }
        self.start_tokens: tuple[int, ...] = tuple(ids[token] for token in prompt)
        self.end_token: int = ids[end]
        self.no_speech_token: int | None = None if no_speech is None else ids[no_speech]
        self.suppressed = suppressed
        self.suppressed_first = suppressed_first
        self.languages = languages
        self.language_tokens: dict[str, int] = {code: ids[_named(code)] for code in named_languages}
        self.task_tokens: dict[str, int] = {task: ids[_named(task)] for task in named_tasks}
        self.previous_token: int | None = None if previous is None else ids[previous]

    @property
    def tokenizer_json(self) -> str:
        """The content of tokenizer.json."""
        content: str = self._tokenizer.to_str()
        return content

    @property
    def fingerprint(self) -> str:
        """A name of the tokens and their ids, and of the prompt."""
        return digest_of(self.tokenizer_json, str(self.size), str(self.start_tokens), str(self.end_token))

    def encode(self, text: str) -> list[int]:
        """Spell a text, without prompt and end token; bytes can spell every text.

        A space goes before it: pieces begin with the space before their word, and so does what Whisper writes.
        """
        ids: list[int] = self._tokenizer.encode(f" {text}", add_special_tokens=False).ids if text else []
        return ids

    def encode_varied(self, text: str, *, dropout: float, random: np.random.Generator) -> list[int]:
        """Spell a text in pieces of which some are not merged, each merge left out with a probability (Provilkov 2020).

        dropout: 0 gives the pieces of `encode`, 1 single bytes
        """
        words = self._tokenizer.pre_tokenizer.pre_tokenize_str(f" {text}") if text else []
        varied = [piece for word, _ in words for piece in self._merged(word, dropout=dropout, random=random)]
        return [self._pieces[piece] for piece in varied]

    def _merged(self, word: str, *, dropout: float, random: np.random.Generator) -> list[str]:
        """Merge a word's bytes, the pair that was learned first before all others."""
        pieces = list(word)
        while True:
            ranks = [self._ranks.get(pair) for pair in pairwise(pieces)]
            kept = random.random(len(ranks)) >= dropout
            found = [(rank, place) for place, rank in enumerate(ranks) if rank is not None and kept[place]]
            if not found:
                return pieces
            place = min(found)[1]
            pieces[place : place + 2] = [pieces[place] + pieces[place + 1]]

    @cached_property
    def _pieces(self) -> dict[str, int]:
        pieces: dict[str, int] = self._tokenizer.get_vocab()
        return pieces

    @cached_property
    def _ranks(self) -> dict[tuple[str, str], int]:
        return {pair: rank for rank, pair in enumerate(merges_of(json.loads(self.tokenizer_json)))}

    @cached_property
    def written(self) -> list[str]:
        """What each token writes, by its id, the space before a word too; nothing for special and cut characters."""
        texts = ["" if index in self._silent else self._tokenizer.decode([index]) for index in range(self.size)]
        return ["" if "\ufffd" in text else text for text in texts]

    def spelled(self, character: str) -> list[int]:
        """Return the tokens of a character within a word: its own piece, where there is one, or else its bytes."""
        ids: list[int] = self._tokenizer.encode(character, add_special_tokens=False).ids
        return ids

    def decode(self, tokens: Sequence[int]) -> str:
        """Read tokens back, without the space before the text; special tokens and timestamps leave no trace."""
        text: str = self._tokenizer.decode([token for token in tokens if token not in self._silent])
        return text.removeprefix(" ")

    def unknown(self, text: str) -> list[str]:  # noqa: ARG002 - every vocabulary answers this question
        """List nothing: bytes can spell every text."""
        return []

    def write(self, folder: Path) -> None:
        """Write tokenizer.json into a model directory, whole or not at all."""
        write_text(folder / FILE_NAME, self.tokenizer_json)


def _named(name: str) -> str:
    """Write the special token of a language or a task, as Whisper does."""
    return f"<|{name}|>"


def _places(prompt: Sequence[str], names: Sequence[str]) -> bool:
    """Return whether a start names one of these languages or tasks."""
    return any(_named(name) in prompt for name in names)


def parsed_tokenizer(tokenizer_json: str, *, origin: str) -> Tokenizer:
    """Make a tokenizer from the content of its file; VocabularyError if it is none."""
    try:
        return Tokenizer.from_str(tokenizer_json)
    except Exception as error:  # the library raises nothing narrower
        raise VocabularyError(f"{origin}: is not a tokenizer file ({error}).") from error


def merges_of(tree: dict[str, Any]) -> list[tuple[str, str]]:
    """List the pairs of pieces that a tokenizer.json merges, in its order; older files write a pair as one string."""
    merges = tree["model"]["merges"]
    return [tuple(merge.split(" ") if isinstance(merge, str) else merge) for merge in merges]


TokenIds = Annotated[tuple[int, ...], Field(strict=False)]


class BytePairsConfig(PartConfig):
    """A byte-pair vocabulary with the tokens that start and end a text and those that a search must not emit.

    size: rows of the model's embedding, where it has more than tokenizer.json names (Whisper's timestamps)
    languages, tasks: that the model knows; where the prompt names one, as <|en|> or <|transcribe|>, any of them may
        stand in its place
    """

    kind: Literal["bpe"]
    prompt: Annotated[tuple[str, ...], Field(strict=False)]  # tokens that a text starts with
    end: str  # token that ends a text
    no_speech: str | None = None  # the token that stands for "nobody speaks"
    size: Annotated[int, Field(ge=1, le=MOST_TOKENS)] | None = None
    suppressed: TokenIds = ()  # ids that a search never writes
    suppressed_first: TokenIds = ()  # ids that it does not write first
    languages: Names = ()  # codes, such as en
    tasks: Names = ()  # such as transcribe and translate
    previous: str | None = None  # token before a text that was said earlier

    def read(self, folder: Path) -> BytePairVocabulary:
        """Read the vocabulary from a model directory."""
        path = folder / FILE_NAME
        return self.build(read_utf8(path), origin=str(path))

    def build(self, tokenizer_json: str, *, origin: str) -> BytePairVocabulary:
        """Make the vocabulary from the content of a tokenizer.json; origin begins the message if it is none."""
        return BytePairVocabulary(
            parsed_tokenizer(tokenizer_json, origin=origin),
            size=self.size,
            prompt=self.prompt,
            end=self.end,
            no_speech=self.no_speech,
            suppressed=self.suppressed,
            suppressed_first=self.suppressed_first,
            languages=self.languages,
            tasks=self.tasks,
            previous=self.previous,
        )
