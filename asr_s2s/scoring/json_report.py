"""A report as JSON for programs: rates are fractions, null where there is nothing to divide by."""

import json
from collections.abc import Sequence
from typing import Any

from asr_s2s.scoring.error_rate import ErrorRate
from asr_s2s.scoring.measures import Measures
from asr_s2s.scoring.report import Confusion, Report, ScoredUtterance

VERSION = 1  # raised when a reader of an earlier one would misread the file


def to_json(report: Report, *, limit: int = 1000) -> str:
    """Write a report; limit cuts the ranked lists of words, whose full lengths stand beside them."""
    pairing = report.pairing
    content = {
        "version": VERSION,
        "reference": pairing.reference,
        "hypothesis": pairing.hypothesis,
        "paired_by": pairing.by,
        "normalizer": {"name": report.normalizer, "version": report.normalizer_version},
        "raw": _measures(report.raw),
        "normalised": _measures(report.normalised),
        "missing_hypotheses": pairing.missing,
        "extra_hypotheses": pairing.extra,
        "doubled_references": pairing.doubled_references,
        "doubled_hypotheses": pairing.doubled_hypotheses,
        "empty_references": report.empty_references,
        "emptied_references": report.emptied_references,
        "confusions": _ranked(report.confusions, limit),
        "deletions": _ranked(report.deletions, limit),
        "insertions": _ranked(report.insertions, limit),
        "worst_utterances": [_utterance(scored) for scored in report.worst],
        "group_by": report.group_by,
        "groups": [
            {"value": group.value, "raw": _measures(group.raw), "normalised": _measures(group.normalised)}
            for group in report.groups
        ],
    }
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def _measures(measures: Measures) -> dict[str, Any]:
    return {
        "words": _counts(measures.words),
        "characters": _counts(measures.characters),
        "sentences": {
            "rate": measures.sentence_error_rate,
            "errors": measures.wrong_sentences,
            "reference_length": measures.sentences,
        },
    }


def _counts(rate: ErrorRate) -> dict[str, Any]:
    return {
        "rate": rate.rate,
        "errors": rate.errors,
        "substitutions": rate.substitutions,
        "deletions": rate.deletions,
        "insertions": rate.insertions,
        "reference_length": rate.reference_length,
    }


def _ranked(edits: Sequence[Confusion], limit: int) -> dict[str, Any]:
    shown = [
        {"reference": edit.reference, "hypothesis": edit.hypothesis, "count": edit.count} for edit in edits[:limit]
    ]
    return {"kinds": len(edits), "commonest": shown}


def _utterance(scored: ScoredUtterance) -> dict[str, Any]:
    return {"id": scored.id, "words": _counts(scored.words), "alignment": [step._asdict() for step in scored.alignment]}
