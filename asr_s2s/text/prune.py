"""A byte-pair vocabulary cut down to the pieces that some text uses; it still spells every text."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from asr_s2s.errors import VocabularyError
from asr_s2s.text.byte_pairs import FILE_NAME, BytePairsConfig, BytePairVocabulary, merges_of

NUM_BYTES = 256


@dataclass(frozen=True)
class PrunedVocabulary:
    """The smaller vocabulary, and what it does to the text that it was chosen by.

    rows: the old id of each new one, in order
    whole: share of the text's pieces that are kept; growth: tokens of the text now for each one before
    """

    config: BytePairsConfig
    vocabulary: BytePairVocabulary
    rows: tuple[int, ...]
    whole: float
    growth: float


def prune(
    vocabulary: BytePairVocabulary, config: BytePairsConfig, texts: Iterable[str], *, size: int
) -> PrunedVocabulary:
    """Keep the `size` pieces that texts use most, the 256 single bytes among them, and the prompt's special tokens.

    A piece is kept with all that it is merged from, so that a text of kept pieces is spelled as before; other words are
    spelled in smaller pieces. Pieces that the texts do not use fill up in the order in which they were learned.

    Raises VocabularyError where size is less than the bytes or no less than all pieces.
    """
    tree = json.loads(vocabulary.tokenizer_json)
    special = _special(tree, config)
    pieces = {piece: index for piece, index in tree["model"]["vocab"].items() if piece not in _added(tree)}
    if not NUM_BYTES <= size < len(pieces):
        raise VocabularyError(
            f"size is {size}, but {FILE_NAME} has {len(pieces)} pieces. Keep from {NUM_BYTES} to {len(pieces) - 1}."
        )
    lines = Counter(texts)
    counts: Counter[int] = Counter()
    for line, times in lines.items():
        for token in vocabulary.encode(line):
            counts[token] += times
    kept = _most_used(pieces, merges_of(tree), counts, size=size)
    rows = (*sorted(pieces[piece] for piece in kept), *sorted(special.values()))
    ids = {old: new for new, old in enumerate(rows)}
    smaller = config.model_copy(
        update={
            "size": None,
            "suppressed": tuple(ids[token] for token in config.suppressed if token in ids),
            "suppressed_first": tuple(ids[token] for token in config.suppressed_first if token in ids),
        }
    )
    made = smaller.build(json.dumps(_pruned(tree, kept, ids), ensure_ascii=False), origin=FILE_NAME)
    before = counts.total()
    return PrunedVocabulary(
        config=smaller,
        vocabulary=made,
        rows=rows,
        whole=sum(count for token, count in counts.items() if token in ids) / max(before, 1),
        growth=sum(len(made.encode(line)) * times for line, times in lines.items()) / max(before, 1),
    )


def _added(tree: dict[str, Any]) -> dict[str, int]:
    return {token["content"]: token["id"] for token in tree["added_tokens"]}


def _special(tree: dict[str, Any], config: BytePairsConfig) -> dict[str, int]:
    """Return the special tokens that a model is told or says: its prompt, its end, and that nobody speaks."""
    named = {*config.prompt, config.end, config.no_speech, config.previous}
    named |= {f"<|{name}|>" for name in (*config.languages, *config.tasks)}
    return {token: index for token, index in _added(tree).items() if token in named}


def _most_used(pieces: dict[str, int], merges: list[tuple[str, str]], counts: Counter[int], *, size: int) -> set[str]:
    """Choose pieces by use, each with all that it is merged from, as long as they fit."""
    parents = {first + second: (first, second) for first, second in merges}
    kept = {piece for piece in pieces if piece not in parents}
    for piece in sorted(pieces, key=lambda piece: (-counts[pieces[piece]], pieces[piece])):
        lacking, pending = set(), [piece]
        while pending:
            one = pending.pop()
            if one not in kept and one not in lacking:
                lacking.add(one)
                pending.extend(parents[one])
        if len(kept) + len(lacking) <= size:
            kept |= lacking
    return kept


def _pruned(tree: dict[str, Any], kept: set[str], ids: dict[int, int]) -> dict[str, Any]:
    """Return the tokenizer's tree with the kept pieces and the special tokens alone, under new ids."""
    model = tree["model"]
    vocabulary = {piece: ids[index] for piece, index in model["vocab"].items() if index in ids}
    merges = [pair for pair in merges_of(tree) if "".join(pair) in kept]
    added = [token | {"id": ids[token["id"]]} for token in tree["added_tokens"] if token["id"] in ids]
    # the post-processor would add special tokens by their old ids; the prompt is the model's own affair
    return tree | {
        "model": model | {"vocab": vocabulary, "merges": merges},
        "added_tokens": added,
        "post_processor": None,
    }
