"""A report as JSON for programs: rates are fractions, null where there is nothing to divide by."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from asr_s2s.scoring.error_rate import ErrorRate
from asr_s2s.scoring.measures import Measures
from asr_s2s.scoring.report import Comparison, Confusion, Grouping, Keyword, Report, ScoredUtterance
from asr_s2s.scoring.tables import differences_in_words

VERSION = 2  # raised when a reader of an earlier one would misread the file
LIMIT = 1000


def to_json(result: Report | Comparison, *, limit: int = LIMIT) -> str:
    """Write a report, or several under "systems"; limit cuts the ranked lists, whose full lengths stand beside them."""
    return json.dumps(document(result, limit=limit), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def document(result: Report | Comparison, *, limit: int = LIMIT) -> dict[str, Any]:
    """Return what the JSON holds."""
    if isinstance(result, Report):
        return {"version": VERSION, **_report(result, limit)}
    return {
        "version": VERSION,
        "systems": [_report(report, limit) for report in result.reports],
        "differences": [asdict(difference) for difference in result.differences],
        "differences_in_words": differences_in_words(result),
    }


def _report(report: Report, limit: int) -> dict[str, Any]:
    pairing = report.pairing
    return {
        "system": report.system,
        "reference": pairing.reference,
        "hypothesis": pairing.hypothesis,
        "paired_by": pairing.by,
        "normalizer": {"name": report.normalizer, "version": report.normalizer_version},
        "costs": report.costs,
        "raw": _measures(report.raw),
        "normalised": _measures(report.normalised),
        "intervals": [asdict(interval) for interval in report.intervals],
        "rules": [{**asdict(effect), "rate": effect.rate} for effect in report.rules],
        "coverage": {
            "references": pairing.num_references,
            "scored": pairing.num_scored,
            "missing_counted_as": pairing.missing_as,
        },
        "missing_hypotheses": pairing.missing,
        "extra_hypotheses": pairing.extra,
        "doubled_references": pairing.doubled_references,
        "doubled_hypotheses": pairing.doubled_hypotheses,
        "empty_references": report.empty_references,
        "emptied_references": report.emptied_references,
        "stripped": dict(report.stripped),
        "remarks": pairing.remarks,
        "confusions": _ranked(report.confusions, limit),
        "deletions": _ranked(report.deletions, limit),
        "insertions": _ranked(report.insertions, limit),
        "ranked_counts_short_by": report.confusions_short_by,
        "word_classes": [{"name": each.name, **_counts(each.words)} for each in report.word_classes],
        "keywords": [_keyword(keyword) for keyword in report.keywords],
        "translation": asdict(report.translation) if report.translation else None,
        "speakers": _counts(report.speakers) if report.speakers else None,
        "worst_utterances": [_utterance(scored) for scored in report.worst],
        "groups": {grouping.field: _groups(grouping) for grouping in report.groupings},
        "flags": _groups(report.flags) if report.flags else [],
        "flagged_segments": [
            {"flag": each.flag, "segments": each.segments, "words": _counts(each.words)}
            for each in report.flagged_segments
        ],
        "provenance": asdict(report.provenance),
    }


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
        "correct": rate.correct,
        "reference_length": rate.reference_length,
        "hypothesis_length": rate.hypothesis_length,
        "match_error_rate": rate.match_error_rate,
        "information_lost": rate.information_lost,
        "information_preserved": rate.information_preserved,
    }


def _groups(grouping: Grouping) -> list[dict[str, Any]]:
    return [
        {
            "value": group.value,
            "raw": _measures(group.raw),
            "normalised": _measures(group.normalised),
            "interval": asdict(group.interval) if group.interval else None,
        }
        for group in grouping.groups
    ]


def _keyword(keyword: Keyword) -> dict[str, Any]:
    return {**asdict(keyword), "recall": keyword.recall, "precision": keyword.precision}


def _ranked(edits: Sequence[Confusion], limit: int) -> dict[str, Any]:
    return {"kinds": len(edits), "commonest": [asdict(edit) for edit in edits[:limit]]}


def _utterance(scored: ScoredUtterance) -> dict[str, Any]:
    return {"id": scored.id, "words": _counts(scored.words), "alignment": [step._asdict() for step in scored.alignment]}
