"""A model with a smaller byte-pair vocabulary: rows of the embedding go, nothing else changes."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from asr_s2s.errors import CheckpointError
from asr_s2s.model_store.directory import SpeechSystem, build_system, load_model, save_model
from asr_s2s.model_store.folders import read_card
from asr_s2s.model_store.weights import EMBEDDING, Storage
from asr_s2s.text import BytePairsConfig, BytePairVocabulary, PrunedVocabulary, prune


@dataclass(frozen=True)
class Pruning:
    """What came out, and how many weights it has and had."""

    words: PrunedVocabulary
    system: SpeechSystem
    weights: int
    weights_before: int


def prune_vocabulary(
    model: str | Path, target: Path, texts: Iterable[str], *, size: int, storage: Storage = "float16"
) -> Pruning:
    """Write a model whose vocabulary holds the pieces that texts use most, see text.prune.

    Raises CheckpointError for a model without byte pairs.
    """
    system = load_model(model)
    if not isinstance(system.config.vocabulary, BytePairsConfig):
        raise CheckpointError(f"{model}: has a vocabulary of characters. Only byte pairs can be pruned.")
    assert isinstance(system.vocabulary, BytePairVocabulary)
    words = prune(system.vocabulary, system.config.vocabulary, texts, size=size)
    config = system.config.model_copy(update={"vocabulary": words.config})
    pruned = build_system(config, words.vocabulary, name=target.name)
    state = dict(system.model.state_dict())
    state[EMBEDDING] = state[EMBEDDING][list(words.rows)]
    pruned.model.load_state_dict(state)
    save_model(target, pruned, card=_card(target, model, words), storage=storage)
    before, after = (sum(weight.numel() for weight in one.model.parameters()) for one in (system, pruned))
    return Pruning(words, pruned, weights=after, weights_before=before)


def _card(target: Path, model: str | Path, words: PrunedVocabulary) -> str:
    return (
        f"# {target.name}\n\nThe model below with a vocabulary of {words.vocabulary.size:,} byte pairs; its other "
        f"weights are unchanged.\n\n{read_card(model)}"
    )
