"""Groups as text: the rates of each, with intervals where it is large enough, and how much of the errors is flagged."""

from collections.abc import Iterable
from itertools import chain

from asr_s2s.scoring.intervals import FEWEST
from asr_s2s.scoring.report import Comparison, Group, Grouping, Interval, Report
from asr_s2s.scoring.tables import NO_RATE, interval_text, percent
from asr_s2s.scoring.text_layout import safe, table


def groups(grouping: Grouping, report: Report, title: str | None = None) -> str:
    """Return the rates of each group of one report."""
    told = _first_interval(grouping.groups)
    wer = ["WER raw", *_with_interval("WER normalised", "95 % interval", told)]
    body = [[safe(title or grouping.field), *wer, "CER normalised", "words", "sentences", "of errors"]]
    body += [
        [
            safe(group.value) or NO_RATE,
            percent(group.raw.words.rate),
            *_rate_of(group, told),
            percent(group.normalised.characters.rate),
            f"{group.normalised.words.reference_length:,}",
            f"{group.normalised.sentences:,}",
            share(group.normalised.words.errors, report.normalised.words.errors),
        ]
        for group in grouping.groups
    ]
    return table(body, left=1) + _resampled(told)


def flags(report: Report) -> str:
    """Say how much of the errors is flagged: by segments where there are several, or else by utterances."""
    if not report.flagged_segments:
        if report.flags is None or report.flags in report.groupings:
            return ""
        return groups(report.flags, report, "flags of utterances")
    body = [["flags of segments", "WER normalised", "words", "segments", "of errors"]]
    for each in report.flagged_segments:
        counts = f"{each.words.reference_length:,}", f"{each.segments:,}"
        part = share(each.words.errors, report.normalised.words.errors)
        body.append([safe(each.flag), percent(each.words.rate), *counts, part])
    return table(body, left=1)


def side_by_side(field: str, comparison: Comparison) -> str:
    """Set the systems' normalised word error rates of each group side by side."""
    by_system = [
        {group.value: group for grouping in report.groupings if grouping.field == field for group in grouping.groups}
        for report in comparison.reports
    ]
    told = _first_interval(group for groups in by_system for group in groups.values())
    heads = [_with_interval(safe(report.system), "95 % interval", told) for report in comparison.reports]
    body = [[safe(field), *chain(*heads), "words"]]
    for value in dict.fromkeys(value for groups in by_system for value in groups):
        found = [groups.get(value) for groups in by_system]
        rates = [_rate_of(group, told) if group else _with_interval(NO_RATE, NO_RATE, told) for group in found]
        words = max(group.normalised.words.reference_length for group in found if group)
        body.append([safe(value) or NO_RATE, *chain(*rates), f"{words:,}"])
    return table(body, left=1) + _resampled(told)


def share(part: int, whole: int) -> str:
    """Write how much of the whole a part is."""
    return f"{100 * part / whole:.1f} %" if whole else NO_RATE


def _rate_of(group: Group, told: Interval | None) -> list[str]:
    return _with_interval(percent(group.normalised.words.rate), interval_text(group.interval), told)


def _with_interval(rate: str, interval: str, told: Interval | None) -> list[str]:
    """Return a cell, and one for the interval where a table tells any."""
    return [rate, interval] if told else [rate]


def _first_interval(groups: Iterable[Group]) -> Interval | None:
    return next((group.interval for group in groups if group.interval), None)


def _resampled(told: Interval | None) -> str:
    return f"\n95 % intervals: bootstrap by {told.by}, of {FEWEST} or more" if told else ""
