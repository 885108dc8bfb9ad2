"""A model made to spell in an alphabet: its vocabulary becomes single characters, which begin with rows that it has."""

import unicodedata
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor

from asr_s2s.errors import VocabularyError
from asr_s2s.model_store.directory import SpeechSystem, build_system, load_model, save_model
from asr_s2s.model_store.folders import read_card
from asr_s2s.model_store.weights import EMBEDDING, Storage
from asr_s2s.text import BytePairVocabulary, CharactersConfig, CharacterVocabulary, Vocabulary
from asr_s2s.text.characters import SPECIALS

TABLES = (EMBEDDING, "decoder.output.weight", "decoder.output.bias", "ctc_head.weight", "ctc_head.bias")  # of tokens
CHARACTERS_PER_FRAME = 0.6  # 30 a second in Whisper's frames of 20 ms: half as many again as the quickest speech


def spell(model: str | Path, target: Path, texts: Iterable[str], *, storage: Storage = "float32") -> SpeechSystem:
    """Write a model that writes the characters of some texts, one at a time, see spelled_system.

    Raises VocabularyError for texts without any.
    """
    vocabulary = CharacterVocabulary.from_texts(texts)
    if vocabulary.size == len(SPECIALS):
        raise VocabularyError("The manifests hold no text, so that there is no alphabet. Name some with 'text'.")
    system = spelled_system(load_model(model), vocabulary, name=target.name)
    card = f"# {target.name}\n\nThe model below with another alphabet, which it has yet to learn.\n\n{read_card(model)}"
    save_model(target, system, card=card, storage=storage)
    return system


def spelled_system(system: SpeechSystem, vocabulary: CharacterVocabulary, *, name: str) -> SpeechSystem:
    """Replace the vocabulary of a model, and its CTC head; the other weights do not change.

    A character begins as the token that spells it, or its letter without accents, or else as the mean of its bytes.
    """
    search = system.config.search
    if isinstance(system.vocabulary, BytePairVocabulary):
        search = search.model_copy(update={"max_tokens_per_frame": CHARACTERS_PER_FRAME})
    config = system.config.model_copy(
        update={
            "vocabulary": CharactersConfig(kind="characters"),
            "model": system.config.model.model_copy(update={"ctc": True}),
            "search": search,
        }
    )
    spelled = build_system(config, vocabulary, name=name)
    known = system.model.state_dict()
    rows = [_origin(token, vocabulary, system.vocabulary) for token in range(vocabulary.size)]
    tables = {name: _picked(known[name], rows) for name in TABLES if name in known}
    spelled.model.load_state_dict(spelled.model.state_dict() | known | tables)
    spelled.front_end.load_state_dict(system.front_end.state_dict())
    spelled.model.eval()
    spelled.front_end.eval()
    return spelled


def _origin(token: int, vocabulary: CharacterVocabulary, before: Vocabulary) -> list[int]:
    """Name the tokens of the former vocabulary that a token begins as the mean of."""
    if token == vocabulary.blank_token and before.blank_token is not None:
        return [before.blank_token]
    if token == vocabulary.start_tokens[-1]:
        return [before.start_tokens[-1]]
    if token == vocabulary.end_token:
        return [before.end_token]
    if not (character := vocabulary.decode([token])):
        return []
    known = before.spelled(character)
    plain = before.spelled(unicodedata.normalize("NFD", character)[0])
    return plain if len(known) != 1 and len(plain) == 1 else known


def _picked(table: Tensor, rows: list[list[int]]) -> Tensor:
    """Return for each list of rows their mean, (rows, ...); for none the mean of the whole table."""
    return torch.stack([(table[row] if row else table).mean(dim=0) for row in rows])
