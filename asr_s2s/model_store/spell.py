"""A model of byte pairs made to spell: its vocabulary becomes single characters, whose rows it has already."""

from collections.abc import Iterable
from pathlib import Path

from torch import Tensor

from asr_s2s.errors import CheckpointError
from asr_s2s.model_store.directory import SpeechSystem, build_system, load_model, read_card, save_model
from asr_s2s.model_store.weights import EMBEDDING, Storage
from asr_s2s.text import BytePairVocabulary, CharactersConfig, CharacterVocabulary

CHARACTERS_PER_FRAME = 0.6  # 30 a second in Whisper's frames of 20 ms: half as many again as the quickest speech


def spell(model: str | Path, target: Path, texts: Iterable[str], *, storage: Storage = "float32") -> SpeechSystem:
    """Write a model that writes the characters of some texts, one at a time, see spelled_system.

    Raises CheckpointError for a model without byte pairs.
    """
    system = spelled_system(load_model(model), CharacterVocabulary.from_texts(texts), name=target.name)
    card = f"# {target.name}\n\nThe model below, made to spell; before it is trained, it can't.\n\n{read_card(model)}"
    save_model(target, system, card=card, storage=storage)
    return system


def spelled_system(system: SpeechSystem, vocabulary: CharacterVocabulary, *, name: str) -> SpeechSystem:
    """Give a model of byte pairs another vocabulary and, for CTC, a fresh head on its encoder.

    A character takes the row of the piece that spells it, or the mean of its bytes' rows; what starts a text that of
    the last token of the prompt. Nothing else changes, but the model has never seen whole words in such pieces.
    Raises CheckpointError for a model without byte pairs.
    """
    pieces = system.vocabulary
    if not isinstance(pieces, BytePairVocabulary):
        raise CheckpointError(f"{system.name}: has a vocabulary of characters already. Train it as it is.")
    config = system.config.model_copy(
        update={
            "vocabulary": CharactersConfig(kind="characters"),
            "model": system.config.model.model_copy(update={"ctc": True}),
            "search": system.config.search.model_copy(update={"max_tokens_per_frame": CHARACTERS_PER_FRAME}),
        }
    )
    spelled = build_system(config, vocabulary, name=name)
    state = spelled.model.state_dict() | system.model.state_dict()
    state[EMBEDDING] = _rows(state[EMBEDDING], pieces, vocabulary)
    spelled.model.load_state_dict(state)
    spelled.front_end.load_state_dict(system.front_end.state_dict())
    spelled.model.eval()
    spelled.front_end.eval()
    return spelled


def _rows(embedding: Tensor, pieces: BytePairVocabulary, vocabulary: CharacterVocabulary) -> Tensor:
    """Give the embedding (character, channel) made of that of the pieces (piece, channel)."""
    rows = embedding.mean(dim=0).repeat(vocabulary.size, 1)
    rows[vocabulary.start_tokens[-1]] = embedding[pieces.start_tokens[-1]]
    rows[vocabulary.end_token] = embedding[pieces.end_token]
    for token in range(vocabulary.size):
        if character := vocabulary.decode([token]):
            rows[token] = embedding[pieces.spelled(character)].mean(dim=0)
    return rows
