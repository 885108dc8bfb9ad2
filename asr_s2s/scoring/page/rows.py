"""The utterances of several systems side by side, in the order of the references."""

from collections.abc import Mapping, Sequence
from typing import Any

from asr_s2s.errors import ScoringError
from asr_s2s.scoring.report import Report, ScoredUtterance

Row = tuple[ScoredUtterance | None, ...]  # one utterance; None for a system that was not scored on it


def rows_of(reports: Sequence[Report]) -> list[Row]:
    """Line up the utterances of all reports by the places of their references.

    Raises ScoringError when a report was made without keeping them.
    """
    for report in reports:
        if len(report.utterances) != len(report.counts.places):
            raise ScoringError(f"the report of {report.system} holds no utterances. Score with keep_utterances=True.")
    by_place = [dict(zip(report.counts.places.tolist(), report.utterances, strict=True)) for report in reports]
    places = sorted(set().union(*by_place))
    return [tuple(scored.get(place) for scored in by_place) for place in places]


def any_of(row: Row) -> ScoredUtterance:
    """Return an utterance as one system has it: its reference is the same in all."""
    return next(scored for scored in row if scored)


def said(scored: ScoredUtterance) -> list[str]:
    """List the words of the reference as they were compared."""
    return [step.reference for step in scored.alignment if step.reference is not None]


def heard(scored: ScoredUtterance) -> list[str]:
    """List the words of the hypothesis as they were compared."""
    return [step.hypothesis for step in scored.alignment if step.hypothesis is not None]


def labels_of(row: Row) -> dict[str, Any]:
    """Return an utterance's other fields; where lines differ the reference's counts, then the first system's."""
    labels: dict[str, Any] = {}
    sides: list[Mapping[str, Any]] = [scored.hypothesis_labels for scored in reversed(row) if scored]
    for side in [*sides, any_of(row).labels]:
        labels |= side
    return labels
