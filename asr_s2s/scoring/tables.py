"""The numbers of a report as tables, a row a system, and the difference of every two in words.

For CSV, Markdown and LaTeX; each table has the same columns.
"""

import csv
import io
from collections.abc import Iterable, Sequence

from asr_s2s.scoring.report import Comparison, Difference, Group, Interval, Keyword, Report

NO_RATE = "-"
COLUMNS = ("system", "WER", "95 % interval", "WER raw", "CER", "MER", "WIL", "WIP", "SER")
COUNTS = ("substituted", "deleted", "inserted", "words", "utterances", "missing")
LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        **{character: f"\\{character}" for character in "&%$#_{}"},
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
    }
)
SIGNIFICANT = 0.05


def percent(rate: float | None) -> str:
    """Write a rate in percent with two decimals, or a dash where there is nothing to divide by."""
    return NO_RATE if rate is None else f"{100 * rate:.2f} %"


def interval_text(interval: Interval | None) -> str:
    """Write an interval in percent, or a dash."""
    return f"{100 * interval.low:.2f} to {100 * interval.high:.2f}" if interval else NO_RATE


def best_interval(report: Report) -> Interval | None:
    """Choose the interval that promises least: by speaker, where the speakers are known."""
    return report.intervals[-1] if report.intervals else None


def rows(result: Report | Comparison) -> list[list[str]]:
    """Return a row of rates for each system, the names of the columns first."""
    return [list(COLUMNS), *(_rates(report) for report in reports_of(result))]


def reports_of(result: Report | Comparison) -> tuple[Report, ...]:
    """List the reports of one system or of several."""
    return (result,) if isinstance(result, Report) else result.reports


def to_csv(result: Report | Comparison) -> str:
    """Write a line for each system and each of its groups, rates as fractions."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = ("system", "group_by", "group", "wer", "wer_low", "wer_high", "wer_raw", "cer", "mer", "wil", "wip", "ser")
    writer.writerow((*names, "substitutions", "deletions", "insertions", "reference_words", "utterances", "missing"))
    for report in reports_of(result):
        writer.writerow(_csv_row(report, ("", ""), report, best_interval(report), len(report.pairing.missing)))
        for grouping in report.groupings:
            for group in grouping.groups:
                writer.writerow(_csv_row(report, (grouping.field, group.value), group, group.interval, ""))
    return out.getvalue()


def to_markdown(result: Report | Comparison) -> str:
    """Write a Markdown table, what it was made with, and the differences in words."""
    head, *body = _with_counts(result)
    lines = [_markdown(head), "|---" + "|---:" * (len(head) - 1) + "|", *map(_markdown, body)]
    return "\n".join([*lines, "", _made_with(result), *(f"- {line}" for line in differences_in_words(result))]) + "\n"


def to_latex(result: Report | Comparison) -> str:
    """Write a LaTeX table in the style of booktabs, with what it was made with and the differences as a caption."""
    head, *body = _with_counts(result)
    caption = " ".join([_made_with(result), *differences_in_words(result)])
    lines = [
        "% \\usepackage{booktabs}",
        "\\begin{table}",
        "\\centering",
        f"\\caption{{{caption.translate(LATEX)}}}",
        f"\\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}",
        "\\toprule",
        _latex(head),
        "\\midrule",
        *map(_latex, body),
        "\\bottomrule",
        "\\end{tabular}",
        "\\end{table}",
    ]
    return "\n".join(lines) + "\n"


def differences_in_words(result: Report | Comparison) -> list[str]:
    """Say of every two systems which is better, by how much, and whether that is significant."""
    if isinstance(result, Report):
        return []
    every = max(report.pairing.num_references for report in result.reports)
    return [_in_words(difference, every) for difference in result.differences]


def keyword_totals(keywords: Iterable[Keyword]) -> Keyword:
    """Add up all keywords."""
    listed = list(keywords)
    sums = (sum(getattr(keyword, name) for keyword in listed) for name in ("said", "recognised", "hits"))
    return Keyword("all", *sums)


def _in_words(difference: Difference, num_references: int) -> str:
    common = difference.num_utterances
    where = "" if common == num_references else f"On the {common:,} utterances that both were scored on: "
    return where + _which_is_better(difference)


def _which_is_better(difference: Difference) -> str:
    points, low, high = (100 * value for value in (difference.points, difference.low, difference.high))
    better, worse = difference.second, difference.first
    if points > 0:
        better, worse, low, high = worse, better, -high, -low
    tests = f"MAPSSWE {_p(difference.p_mapsswe)}, bootstrap {_p(difference.p_bootstrap)}"
    if not points:
        return f"{difference.first} and {difference.second} have equally many errors ({tests})."
    by = f"{abs(points):.2f} points"
    bounds = f"[{0 - high:.2f}, {0 - low:.2f}], {tests}."
    if difference.p_mapsswe < SIGNIFICANT:
        return f"{better} is better than {worse} by {by} {bounds}"
    return f"No significant difference: {better} is {by} below {worse} {bounds}"


def _p(value: float) -> str:
    return f"p = {value:.3f}" if value >= 0.001 else "p < 0.001"


def _rates(report: Report) -> list[str]:
    words = report.normalised.words
    rates = (
        report.raw.words.rate,
        report.normalised.characters.rate,
        words.match_error_rate,
        words.information_lost,
        words.information_preserved,
        report.normalised.sentence_error_rate,
    )
    return [report.system, percent(words.rate), interval_text(best_interval(report)), *map(percent, rates)]


def _with_counts(result: Report | Comparison) -> list[list[str]]:
    return [
        [*COLUMNS, *COUNTS],
        *(
            _rates(report)
            + [
                f"{count:,}"
                for count in (
                    report.normalised.words.substitutions,
                    report.normalised.words.deletions,
                    report.normalised.words.insertions,
                    report.normalised.words.reference_length,
                    report.normalised.sentences,
                    len(report.pairing.missing),
                )
            ]
            for report in reports_of(result)
        ),
    ]


def _csv_row(
    report: Report, group: Sequence[str], of: Report | Group, interval: Interval | None, missing: object
) -> list[object]:
    raw, normalised, words = of.raw, of.normalised, of.normalised.words
    return [
        report.system,
        *group,
        words.rate,
        *((interval.low, interval.high) if interval else ("", "")),
        raw.words.rate,
        normalised.characters.rate,
        words.match_error_rate,
        words.information_lost,
        words.information_preserved,
        normalised.sentence_error_rate,
        words.substitutions,
        words.deletions,
        words.insertions,
        words.reference_length,
        normalised.sentences,
        missing,
    ]


def _made_with(result: Report | Comparison) -> str:
    report = reports_of(result)[0]
    return (
        f"Normaliser {report.normalizer} ({report.normalizer_version}), costs {report.costs}, "
        f"references {report.pairing.reference}."
    )


def _markdown(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _latex(cells: Sequence[str]) -> str:
    return " & ".join(cell.translate(LATEX) for cell in cells) + r" \\"
