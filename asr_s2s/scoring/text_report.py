"""A report as plain text for a terminal or a log."""

from collections.abc import Sequence

from asr_s2s.errors import counted, listed
from asr_s2s.scoring.error_rate import ErrorRate
from asr_s2s.scoring.measures import Measures
from asr_s2s.scoring.remarks import remarks
from asr_s2s.scoring.report import Comparison, Confusion, Report
from asr_s2s.scoring.tables import (
    NO_RATE,
    best_interval,
    differences_in_words,
    interval_text,
    keyword_totals,
    percent,
    rows,
)
from asr_s2s.scoring.text_alignment import worst_utterances
from asr_s2s.scoring.text_groups import flags, groups, share, side_by_side
from asr_s2s.scoring.text_layout import safe, table


def to_text(result: Report | Comparison, *, limit: int = 10, num_worst: int = 5, width: int = 100) -> str:
    """Lay a report, or several side by side, out in lines.

    limit: cuts each list of words; width: in columns, wraps the alignments
    """
    parts = _compared(result) if isinstance(result, Comparison) else _alone(result, limit, num_worst, width)
    return "\n\n".join(part for part in parts if part) + "\n"


def _alone(report: Report, limit: int, num_worst: int, width: int) -> list[str]:
    return [
        _heading(report),
        _rates(report),
        _interval(report),
        _remarks(report),
        _rules(report),
        *(groups(grouping, report) for grouping in report.groupings),
        flags(report),
        _classes(report),
        _keywords(report, limit),
        _ranked("Confusions (reference > hypothesis)", report.confusions, limit),
        _ranked("Deletions", report.deletions, limit),
        _ranked("Insertions", report.insertions, limit),
        worst_utterances(report.worst[:num_worst], width),
        _provenance([report]),
    ]


def _compared(comparison: Comparison) -> list[str]:
    """Set several systems side by side; what is behind each one's errors is in a report of its own."""
    first = comparison.reports[0]
    return [
        "\n".join(
            [
                f"Reference   {safe(first.pairing.reference)}",
                *(f"Hypothesis  {safe(report.pairing.hypothesis)}" for report in comparison.reports),
                f"Utterances  {first.pairing.num_references:,}, paired by {first.pairing.by}",
                _made_with(first),
            ]
        ),
        table([[safe(cell) for cell in row] for row in rows(comparison)], left=1),
        _bootstrapped(first),
        "\n".join(safe(line) for line in differences_in_words(comparison)),
        *(f"{safe(report.system)}\n{noted}" for report in comparison.reports if (noted := _remarks(report))),
        *(side_by_side(grouping.field, comparison) for grouping in first.groupings),
        _provenance(comparison.reports),
    ]


def _bootstrapped(report: Report) -> str:
    interval = best_interval(report)
    return f"95 % intervals: bootstrap by {interval.by}" if interval else ""


def _heading(report: Report) -> str:
    return "\n".join(
        [
            f"Reference   {safe(report.pairing.reference)}",
            f"Hypothesis  {safe(report.pairing.hypothesis)}",
            f"Utterances  {_coverage(report)}, paired by {report.pairing.by}",
            _made_with(report),
        ]
    )


def _coverage(report: Report) -> str:
    scored, every = report.pairing.num_scored, report.pairing.num_references
    return f"{scored:,}" if scored == every else f"{scored:,} of {every:,}"


def _provenance(reports: Sequence[Report]) -> str:
    """Name the data by the beginnings of their hashes, and the versions."""
    made = reports[0].provenance
    files = {file.path: file.sha256[:12] for report in reports for file in report.provenance.files}
    lines = [f"sha256 {known}  {safe(path)}" for path, known in files.items()]
    versions = ", ".join(f"{name} {known}" for name, known in made.versions.items())
    return "\n".join([f"Made with {versions}", *lines])


def _made_with(report: Report) -> str:
    costs = "" if report.costs == "unit" else f", alignments at {report.costs}'s costs"
    return f"Normalizer  {safe(report.normalizer)} ({report.normalizer_version}){costs}"


def _rates(report: Report) -> str:
    sides = (("raw", report.raw), ("normalised", report.normalised))
    body = [["", "", "rate", "errors", "substituted", "deleted", "inserted", "of"]]
    body += [_counts("WER", name, measures.words, "word") for name, measures in sides]
    body += [_counts("CER", name, measures.characters, "character") for name, measures in sides]
    body += [_sentences(name, measures) for name, measures in sides]
    words = report.normalised.words
    body += [
        [name, "normalised", percent(rate), "", "", "", "", ""]
        for name, rate in (
            ("MER", words.match_error_rate),
            ("WIL", words.information_lost),
            ("WIP", words.information_preserved),
        )
    ]
    if report.speakers:
        body.append(_counts("cpWER", "normalised", report.speakers, "word"))
    translation = _translation(report)
    return table(body, left=2) + translation


def _translation(report: Report) -> str:
    found = report.translation
    if found is None:
        return ""
    return "\n".join(["", "", f"BLEU {found.bleu:.2f}, chrF {found.chrf:.2f}, raw texts", *found.signatures])


def _counts(measure: str, side: str, rate: ErrorRate, unit: str) -> list[str]:
    counts = (rate.errors, rate.substitutions, rate.deletions, rate.insertions)
    return [
        measure,
        side,
        percent(rate.rate),
        *(f"{count:,}" for count in counts),
        counted(rate.reference_length, unit),
    ]


def _sentences(side: str, measures: Measures) -> list[str]:
    rate = percent(measures.sentence_error_rate)
    return ["SER", side, rate, f"{measures.wrong_sentences:,}", "", "", "", counted(measures.sentences, "sentence")]


def _interval(report: Report) -> str:
    lines = [
        f"WER normalised, 95 % interval: {interval_text(interval)} % (bootstrap by {interval.by})"
        for interval in report.intervals
    ]
    return "\n".join(lines)


def _remarks(report: Report) -> str:
    return "\n".join(
        safe(f"{found.text}: {len(found.ids):,} ({listed(list(found.ids))})" if found.ids else found.text)
        for found in remarks(report)
    )


def _rules(report: Report) -> str:
    if not report.rules:
        return ""
    before = report.raw.words.rate
    body = [["Normalizer's rules", "WER after", "change"], ["(none)", percent(before), ""]]
    for effect in report.rules:
        change = None if effect.rate is None or before is None else 100 * (effect.rate - before)
        body.append([safe(effect.rule), percent(effect.rate), NO_RATE if change is None else f"{change:+.2f}"])
        before = effect.rate
    return table(body, left=1)


def _classes(report: Report) -> str:
    if not any(each.words.errors for each in report.word_classes):
        return ""
    body = [["Errors by word class", "rate", "errors", "substituted", "deleted", "inserted", "words", "of errors"]]
    for each in report.word_classes:
        rate, *counts, _ = _counts("", "", each.words, "word")[2:]
        part = share(each.words.errors, report.normalised.words.errors)
        body.append([each.name, rate, *counts, f"{each.words.reference_length:,}", part])
    return table(body, left=1)


def _keywords(report: Report, limit: int) -> str:
    if not report.keywords:
        return ""
    missed = sorted(report.keywords, key=lambda keyword: keyword.hits - max(keyword.said, keyword.recognised))
    body = [["Keywords", "recall", "precision", "said", "recognised", "hits"]]
    for keyword in (keyword_totals(report.keywords), *missed[:limit]):
        counts = (f"{count:,}" for count in (keyword.said, keyword.recognised, keyword.hits))
        body.append([safe(keyword.keyword), percent(keyword.recall), percent(keyword.precision), *counts])
    beyond = f"\nthe {limit} least well recognised of {len(missed):,}" if len(missed) > limit else ""
    return table(body, left=1) + beyond


def _ranked(title: str, edits: Sequence[Confusion], limit: int) -> str:
    if not edits:
        return ""
    shown = [f"{edit.count:>7,}  {_pair(edit)}" for edit in edits[:limit]]
    beyond = f", {limit} of {len(edits):,} kinds" if len(edits) > limit else ""
    return "\n".join([f"{title}, normalised words{beyond}", *shown])


def _pair(edit: Confusion) -> str:
    return safe(" > ".join(side for side in (edit.reference, edit.hypothesis) if side is not None))
