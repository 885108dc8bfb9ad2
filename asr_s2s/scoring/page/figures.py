"""The measured part of the page's data: rates, intervals, ranked errors and differences of the systems."""

from collections.abc import Sequence
from typing import Any

from asr_s2s.scoring.error_rate import ErrorRate
from asr_s2s.scoring.measures import Measures
from asr_s2s.scoring.remarks import remarks
from asr_s2s.scoring.report import Comparison, Confusion, Report

MAX_KINDS = 1000  # of confusions, deletions and insertions each


def system_figures(report: Report) -> dict[str, Any]:
    """Return one system's figures; counts are [substitutions, deletions, insertions, reference length]."""
    return {
        "name": report.system,
        "raw": _measures(report.raw),
        "normalised": _measures(report.normalised),
        "intervals": [{"low": found.low, "high": found.high, "by": found.by} for found in report.intervals],
        "remarks": [{"text": found.text, "ids": found.ids} for found in remarks(report)],
        "edits": {
            "S": _ranked(report.confusions),
            "D": _ranked(report.deletions),
            "I": _ranked(report.insertions),
        },
        "rules": [[effect.rule, effect.errors, effect.reference_length] for effect in report.rules],
        "flagged": [[found.flag, found.segments, _counts(found.words)] for found in report.flagged_segments],
        "classes": [[kind.name, _counts(kind.words)] for kind in report.word_classes],
        "others": _others(report),
        "keywords": [[found.keyword, found.said, found.recognised, found.hits] for found in report.keywords],
    }


def difference_figures(result: Report | Comparison) -> list[dict[str, Any]]:
    """Return the difference of every two systems; first and second are their numbers."""
    if isinstance(result, Report):
        return []
    number = {report.system: at for at, report in enumerate(result.reports)}
    return [
        {
            "first": number[found.first],
            "second": number[found.second],
            "points": found.points,
            "interval": {"low": found.low, "high": found.high},
            "p": [found.p_bootstrap, found.p_mapsswe, found.p_sign, found.p_mcnemar],
            "utterances": found.num_utterances,
        }
        for found in result.differences
    ]


def _others(report: Report) -> dict[str, float | None]:
    """Return what stands beside WER, CER and SER, all in fractions."""
    words = report.normalised.words
    others = {
        "MER": words.match_error_rate,
        "WIL": words.information_lost,
        "WIP": words.information_preserved,
    }
    if report.speakers:
        others["cpWER"] = report.speakers.rate
    if report.translation:
        others |= {"BLEU, raw": report.translation.bleu / 100, "chrF, raw": report.translation.chrf / 100}
    return others


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
