"""The fields that make groups on the page: their values, and for each utterance the numbers of its own."""

from collections.abc import Sequence
from typing import Any

from asr_s2s.scoring.groups import BUCKETS, FLAGS, FlagGroups, Groups, value_of
from asr_s2s.scoring.page.rows import Row, any_of, labels_of, said

FIRST = ("speaker", "language", "duration", "speed", "snr")
NO_GROUPS = {"id", "audio_filepath", "offset", "text", "pred_text", "words", "confidence", FLAGS}
MOST_VALUES = 200  # a field with more is a text, not a group: a chart has no room for it


def label_fields(rows: Sequence[Row], asked: Sequence[str]) -> dict[str, Any]:
    """Give the fields that were asked for, then those of the utterances' lines that have a few values."""
    labels = [labels_of(row) for row in rows]
    lengths = [len(said(any_of(row))) for row in rows]
    known = sorted(set().union(*labels) - NO_GROUPS - set(BUCKETS))
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
            fields[name] = _numbered(members, len(rows))
    return fields


def flag_fields(rows: Sequence[Row], systems: Sequence[str]) -> dict[str, Any]:
    """Give the flags that each system's transcripts raise, where there are any; an utterance may have several."""
    fields: dict[str, Any] = {}
    for at, system in enumerate(systems):
        groups = FlagGroups()
        for place, row in enumerate(rows):
            scored = row[at]
            groups.add(place, scored.hypothesis_labels if scored else {})
        if members := groups.members(len(rows)):
            fields[FLAGS if len(systems) == 1 else f"{FLAGS} of {system}"] = _numbered(members, len(rows))
    return fields


def _numbered(members: Sequence[tuple[str, Any]], num_rows: int) -> dict[str, Any]:
    """Turn values with their members into each utterance's numbers, alone where there is but one."""
    of: list[list[int]] = [[] for _ in range(num_rows)]
    for number, (_, chosen) in enumerate(members):
        for at in chosen.nonzero()[0].tolist():
            of[at].append(number)
    return {"values": [value for value, _ in members], "of": [found[0] if len(found) == 1 else found for found in of]}
