"""The measured part of the page's data: systems, remarks, ranked errors."""

from collections.abc import Sequence
from typing import Any

from asr_s2s.scoring.error_rate import ErrorRate
from asr_s2s.scoring.measures import Measures
from asr_s2s.scoring.report import Confusion, Report
from asr_s2s.scoring.text_report import remarks

MAX_KINDS = 1000  # of confusions, deletions and insertions each


def system(name: str, report: Report) -> dict[str, Any]:
    """Give one system's figures; `words` and `characters` are [substitutions, deletions, insertions, length]."""
    return {
        "name": name,
        "raw": _measures(report.raw),
        "normalised": _measures(report.normalised),
        "remarks": [{"text": text, "ids": list(ids)} for ids, text in remarks(report) if ids],
        "edits": {
            "S": _ranked(report.confusions),
            "D": _ranked(report.deletions),
            "I": _ranked(report.insertions),
        },
    }


def _measures(measures: Measures) -> dict[str, Any]:
    return {
        "words": _counts(measures.words),
        "characters": _counts(measures.characters),
        "sentences": [measures.wrong_sentences, measures.sentences],
    }


def _counts(rate: ErrorRate) -> list[int]:
    return [rate.substitutions, rate.deletions, rate.insertions, rate.reference_length]


def _ranked(edits: Sequence[Confusion]) -> dict[str, Any]:
    return {
        "kinds": len(edits),
        "commonest": [[edit.reference, edit.hypothesis, edit.count] for edit in edits[:MAX_KINDS]],
    }
