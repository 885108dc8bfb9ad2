"""The utterances of the page, column by column: words as text, alignments a letter a word, times as numbers.

A text is written once: 0 stands for a hypothesis without errors, and for a spelling that normalising left alone.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from asr_s2s.manifest import Utterance
from asr_s2s.scoring.align import align, words_of
from asr_s2s.scoring.page.times import word_times
from asr_s2s.scoring.pairing import Pair
from asr_s2s.text.normalizers import Normalizer

LETTERS = {"correct": "=", "substitution": "S", "deletion": "D", "insertion": "I"}
SAME = 0
NONE = -1
MOST_VALUES = 200  # a field with more is a text, not a group: a chart has no room for it

Manifest = Mapping[str, Utterance]  # by id; empty where a side was not read from a manifest


def reference_columns(pairs: Sequence[Pair], manifest: Manifest, normalizer: Normalizer) -> dict[str, Any]:
    """Give ids, references as compared and as written, and the times of their words where the manifest has them."""
    compared = [normalizer.apply(pair.reference) for pair in pairs]
    return {
        "id": [pair.id for pair in pairs],
        "text": compared,
        "written": [_unless(text, pair.reference) for text, pair in zip(compared, pairs, strict=True)],
        "times": [_times(text, manifest.get(pair.id)) for text, pair in zip(compared, pairs, strict=True)],
        "fields": _fields(pairs),
    }


def hypothesis_columns(
    pairs: Sequence[Pair], references: Sequence[str], manifest: Manifest, normalizer: Normalizer
) -> dict[str, Any]:
    """Give hypotheses as compared and as written, their alignments and their words' times.

    references: as compared, in the order of the pairs
    A missing hypothesis is written as null.
    """
    columns: dict[str, list[Any]] = {"text": [], "written": [], "steps": [], "times": []}
    for pair, reference in zip(pairs, references, strict=True):
        hypothesis = normalizer.apply(pair.hypothesis or "")
        steps = "".join(LETTERS[step.kind] for step in align(words_of(reference), words_of(hypothesis)))
        columns["text"].append(_unless(reference, hypothesis))
        columns["written"].append(None if pair.hypothesis is None else _unless(hypothesis, pair.hypothesis))
        columns["steps"].append(steps if steps.strip("=") else SAME)
        columns["times"].append(_times(hypothesis, manifest.get(pair.id)))
    return columns


def recording_columns(pairs: Sequence[Pair], manifests: Sequence[Manifest]) -> tuple[dict[str, Any], list[Path]]:
    """Give where each utterance is heard (number of its file, start and length in seconds), and the files."""
    paths: dict[Path, int] = {}
    columns: dict[str, list[Any]] = {"file": [], "start": [], "seconds": []}
    for pair in pairs:
        found = next((manifest[pair.id] for manifest in manifests if pair.id in manifest), None)
        columns["file"].append(paths.setdefault(found.audio_path, len(paths)) if found else NONE)
        columns["start"].append(found.offset if found else 0)
        columns["seconds"].append(found.duration if found else None)
    return columns, list(paths)


def _unless(known: str, text: str) -> str | int:
    return SAME if text == known else text


def _times(text: str, utterance: Utterance | None) -> list[int] | int:
    """Give the words' times; a manifest's `words` are what was recognised where it holds both texts."""
    return word_times(words_of(text), utterance.words) if text and utterance and utterance.words else SAME


def _fields(pairs: Sequence[Pair]) -> dict[str, Any]:
    """Give the fields that make groups: their values, and for each utterance the number of its value."""
    fields: dict[str, Any] = {}
    for name in sorted({name for pair in pairs for name in pair.labels}):
        written = ["" if (label := pair.labels.get(name)) is None else str(label) for pair in pairs]
        numbers = {value: number for number, value in enumerate(sorted(set(written)))}
        if 1 < len(numbers) <= min(MOST_VALUES, len(pairs) // 2 + 1):
            fields[name] = {"values": list(numbers), "of": [numbers[value] for value in written]}
    return fields
