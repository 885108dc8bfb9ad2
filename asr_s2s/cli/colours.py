"""A report in colours on a terminal; the text stays the same."""

from rich.console import Console
from rich.highlighter import RegexHighlighter
from rich.theme import Theme

STYLES = {
    "report.rate": "bold",
    "report.title": "bold cyan",
    "report.substitution": "yellow",
    "report.deletion": "red",
    "report.insertion": "magenta",
    "report.better": "bold green",
    "report.chance": "dim",
    "report.warning": "yellow",
}


class ReportHighlighter(RegexHighlighter):
    """Colours rates, titles, warnings and the marks below errors."""

    base_style = "report."
    highlights = [  # noqa: RUF012 - as rich wants it
        r"(?P<rate>-?\d+\.\d\d %)",
        r"(?m)^(?P<title>(Reference|Hypothesis|Utterances|Normalizer) )",
        r"(?m)^(?P<title>(Normalizer's rules|Errors by word class|Keywords|system) .*)$",
        r"(?m)^(?P<title>(Confusions|Deletions|Insertions|Utterances with the most errors).*)$",
        r"(?m)^(?P<better>.* is better than .*)$",
        r"(?m)^(?P<chance>(On the .*: )?No significant difference: .*)$",
        r"(?m)^(?P<warning>(Missing|Extra|Doubled|Empty|References without|Paired by line).*)$",
    ]


class MarkHighlighter(RegexHighlighter):
    """Colours the letters of a line of marks."""

    base_style = "report."
    highlights = [r"(?P<substitution>S)", r"(?P<deletion>D)", r"(?P<insertion>I)"]  # noqa: RUF012


def show(text: str) -> None:
    """Print a report line by line, as wide as it is: a terminal wraps what it cannot hold."""
    console = Console(theme=Theme(STYLES), soft_wrap=True)
    report, marks = ReportHighlighter(), MarkHighlighter()
    for line in text.rstrip("\n").split("\n"):
        highlight = marks if line.strip() and not set(line) - set(" SDI") else report
        console.print(highlight(line), markup=False)
