"""The texts of the page, column by column: words as text, alignments a letter a word, times as numbers.

A text is written once: 0 stands for a hypothesis without errors, and for a spelling that normalising left alone.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from asr_s2s.manifest import Word
from asr_s2s.scoring.page.rows import Row, any_of, heard, said
from asr_s2s.scoring.page.times import word_times
from asr_s2s.scoring.report import ScoredUtterance

LETTERS = {"correct": "=", "substitution": "S", "deletion": "D", "insertion": "I"}
SAME = 0
NO_TIMES = 0


def reference_columns(rows: Sequence[Row]) -> dict[str, Any]:
    """Return ids, references as compared and as written, and the times of their words."""
    utterances = [any_of(row) for row in rows]
    texts = [" ".join(said(utterance)) for utterance in utterances]
    return {
        "id": [utterance.id for utterance in utterances],
        "text": texts,
        "written": [_unless(text, scored.reference) for text, scored in zip(texts, utterances, strict=True)],
        "times": [_reference_times(row) for row in rows],
    }


def hypothesis_columns(utterances: Sequence[ScoredUtterance | None]) -> dict[str, Any]:
    """Return one system's hypotheses as compared and as written, their alignments and their words' times.

    An utterance that was not scored has no alignment (null), a missing hypothesis no spelling (null).
    """
    columns: dict[str, list[Any]] = {"text": [], "written": [], "steps": [], "times": []}
    for scored in utterances:
        text = " ".join(heard(scored)) if scored else ""
        columns["text"].append(text if scored and scored.words.errors else SAME)
        columns["written"].append(
            _unless(text, scored.hypothesis) if scored and scored.hypothesis is not None else None
        )
        columns["steps"].append(_steps(scored) if scored else None)
        columns["times"].append(_times(heard(scored), scored.hypothesis_labels) if scored else NO_TIMES)
    return columns


def _unless(known: str, text: str) -> str | int:
    return SAME if text == known else text


def _steps(scored: ScoredUtterance) -> str | int:
    return "".join(LETTERS[step.kind] for step in scored.alignment) if scored.words.errors else SAME


def _reference_times(row: Row) -> list[int] | int:
    """Return the reference's own times; a manifest that holds both texts has times of the recognised words alone."""
    scored = any_of(row)
    if any(other and other.hypothesis_labels.get("words") == scored.labels.get("words") for other in row):
        return NO_TIMES
    return _times(said(scored), scored.labels)


def _times(words: Sequence[str], labels: Mapping[str, Any]) -> list[int] | int:
    timed = _timed(labels.get("words"))
    return word_times(words, timed) if words and timed else NO_TIMES


def _timed(words: object) -> list[Word]:
    """Read a line's words with times, or none where they are something else."""
    try:
        timed = [Word(str(word["word"]), float(word["start"]), float(word["end"])) for word in words]  # type: ignore[attr-defined]  # anything may stand there
    except (KeyError, TypeError, ValueError):
        return []
    return timed if all(math.isfinite(word.start) and math.isfinite(word.end) for word in timed) else []
