"""From running counts to a report."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from asr_s2s.errors import ScoringError, listed
from asr_s2s.scoring.extra_measures import speaker_errors, translation
from asr_s2s.scoring.groups import FLAGS, NOT_GROUPED
from asr_s2s.scoring.intervals import group_intervals, intervals_of
from asr_s2s.scoring.measures import summed
from asr_s2s.scoring.options import Settings
from asr_s2s.scoring.pairing import Pairing
from asr_s2s.scoring.provenance import provenance
from asr_s2s.scoring.report import Confusion, Counts, Group, Grouping, Report
from asr_s2s.scoring.sources import TextSource
from asr_s2s.scoring.tally import Tally


def report_of(
    system: str, tally: Tally, pairing: Pairing, sides: tuple[TextSource, TextSource], settings: Settings
) -> Report:
    """Close the counts. Raises ScoringError when no line has the field to group by."""
    counts = tally.counts()
    ranked = _ranked(tally)
    flags = tally.flags.members(len(counts.places))
    normalised = summed(counts.words, counts.characters)
    return Report(
        system=system,
        pairing=pairing,
        normalizer=settings.normalizer.name,
        normalizer_version=settings.normalizer.version,
        costs=settings.options.costs,
        raw=summed(counts.raw_words, counts.raw_characters),
        normalised=normalised,
        intervals=intervals_of(counts),
        rules=tally.rule_effects(),
        empty_references=tuple(tally.empty),
        emptied_references=tuple(tally.emptied),
        stripped={rule: tuple(ids) for rule, ids in tally.stripped.items()},
        confusions=tuple(edit for edit in ranked if edit.reference is not None and edit.hypothesis is not None),
        deletions=tuple(edit for edit in ranked if edit.hypothesis is None),
        insertions=tuple(edit for edit in ranked if edit.reference is None),
        confusions_short_by=tally.confusions.short_by,
        word_classes=tally.classes.errors(ranked),
        keywords=tally.keywords.result() if tally.keywords else (),
        translation=translation(*zip(*tally.texts, strict=True)) if tally.texts else None,
        speakers=speaker_errors(sides[0].file, sides[1].file, settings) if settings.options.cpwer else None,
        worst=tuple(scored for *_, scored in sorted(tally.worst, reverse=True)),
        groupings=tuple(_groupings(tally, counts, pairing, settings.group_by)),
        flags=_grouping(FLAGS, flags, counts) if flags else None,
        flagged_segments=tally.segment_flags.errors(normalised.words, len(counts.places)) if flags else (),
        utterances=tuple(tally.utterances),
        provenance=provenance([source.file for source in sides], settings.noted(), settings.options.command),
        counts=counts,
    )


def _ranked(tally: Tally) -> list[Confusion]:
    return [
        Confusion(reference, hypothesis, count)
        for (reference, hypothesis), count in sorted(
            tally.confusions.counts.items(), key=lambda item: (-item[1], item[0][0] or "", item[0][1] or "")
        )
    ]


def _groupings(tally: Tally, counts: Counts, pairing: Pairing, fields: Iterable[str]) -> Iterable[Grouping]:
    groups = {group.field: group for group in tally.groups}
    for field in fields:
        if field == FLAGS:
            yield _grouping(field, tally.flags.members(len(counts.places)), counts)
        elif groups[field].known:
            yield _grouping(field, groups[field].members(len(counts.places)), counts)
        else:
            known = sorted(tally.known_fields - NOT_GROUPED)
            there = f"Fields there: {listed(known, limit=20)}." if known else "Its lines have no other fields."
            raise ScoringError(f"{pairing.reference}: no line has the field '{field}' to group by. {there}")


def _grouping(field: str, members: Sequence[tuple[str, NDArray[np.bool_]]], counts: Counts) -> Grouping:
    """Sum the counts of each group."""
    intervals = group_intervals(counts, [chosen for _, chosen in members])
    return Grouping(
        field,
        tuple(
            Group(
                value,
                summed(counts.raw_words[chosen], counts.raw_characters[chosen]),
                summed(counts.words[chosen], counts.characters[chosen]),
                interval,
            )
            for (value, chosen), interval in zip(members, intervals, strict=True)
        ),
    )
