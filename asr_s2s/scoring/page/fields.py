"""The fields that make groups on the page: their values, and for each utterance the numbers of its own."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr_s2s.scoring.groups import BUCKETS, FLAGS, NOT_GROUPED, FlagGroups, Groups, value_of
from asr_s2s.scoring.intervals import group_intervals
from asr_s2s.scoring.page.rows import Row, any_of, labels_of, said
from asr_s2s.scoring.report import Report

Member = tuple[str, NDArray[np.bool_]]

FIRST = ("speaker", "language", "duration", "speed", "snr")
NOT_SHOWN = NOT_GROUPED | {"offset", "confidence", FLAGS} | set(BUCKETS)
MOST_VALUES = 200  # a field with more is a text, not a group: a chart has no room for it


def label_fields(rows: Sequence[Row], reports: Sequence[Report]) -> dict[str, Any]:
    """Return the fields that were asked for, then those of the utterances' lines that have a few values."""
    asked = [grouping.field for grouping in reports[0].groupings]
    labels = [labels_of(row) for row in rows]
    lengths = [len(said(any_of(row))) for row in rows]
    known = sorted(set().union(*labels) - NOT_SHOWN)
    fields: dict[str, Any] = {}
    for name in dict.fromkeys([*asked, *FIRST, *known]):
        num_values = len({value_of(name, *line) for line in zip(labels, lengths, strict=True)})
        if name != FLAGS and (name in asked or 1 < num_values <= min(MOST_VALUES, len(rows) // 2 + 1)):
            groups = Groups(name)
            for at, line in enumerate(zip(labels, lengths, strict=True)):
                groups.add(at, *line)
            members = groups.members(len(rows))
            if name not in BUCKETS:
                members.sort(key=lambda member: -int(member[1].sum()))  # the largest first
            fields[name] = _field(members, rows, reports)
    return fields


def flag_fields(rows: Sequence[Row], reports: Sequence[Report]) -> dict[str, Any]:
    """Return the flags that each system's transcripts raise, where there are any; an utterance may have several."""
    fields: dict[str, Any] = {}
    for at, report in enumerate(reports):
        groups = FlagGroups()
        for place, row in enumerate(rows):
            scored = row[at]
            groups.add(place, scored.hypothesis_labels if scored else {})
        if members := groups.members(len(rows)):
            fields[FLAGS if len(reports) == 1 else f"{FLAGS} of {report.system}"] = _field(members, rows, reports)
    return fields


def _field(members: Sequence[Member], rows: Sequence[Row], reports: Sequence[Report]) -> dict[str, Any]:
    """Turn values with their members into each utterance's numbers, alone where there is but one, and intervals.

    intervals: for each system those of all values, null where there is none
    """
    of: list[list[int]] = [[] for _ in rows]
    for number, (_, chosen) in enumerate(members):
        for at in chosen.nonzero()[0].tolist():
            of[at].append(number)
    return {
        "values": [value for value, _ in members],
        "of": [found[0] if len(found) == 1 else found for found in of],
        "intervals": [
            _intervals(members, report, np.array([row[at] is not None for row in rows]))
            for at, report in enumerate(reports)
        ],
    }


def _intervals(members: Sequence[Member], report: Report, scored: NDArray[np.bool_]) -> list[dict[str, float] | None]:
    """Return a system's intervals; scored: (utterance,), which it was scored on."""
    found = group_intervals(report.counts, [chosen[scored] for _, chosen in members])
    return [{"low": interval.low, "high": interval.high} if interval else None for interval in found]
