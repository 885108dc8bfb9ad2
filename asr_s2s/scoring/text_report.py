"""A report as plain text for a terminal or a log."""

import unicodedata
from collections.abc import Sequence

from asr_s2s.errors import listed
from asr_s2s.scoring.align import Alignment, Step
from asr_s2s.scoring.error_rate import ErrorRate
from asr_s2s.scoring.measures import Measures
from asr_s2s.scoring.report import Confusion, Report, ScoredUtterance

MARKS = {"correct": "", "substitution": "S", "deletion": "D", "insertion": "I"}
NO_RATE = "-"
DIRECTIONS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # would turn the rest of a terminal's line around


def to_text(report: Report, *, limit: int = 10, num_worst: int = 5, width: int = 100) -> str:
    """Lay a report out in lines; limit cuts each list of words, width (in columns) wraps the alignments."""
    parts = [
        _heading(report),
        _rates(report),
        _remarks(report),
        *([_groups(report)] if report.group_by else []),
        _ranked("Confusions (reference > hypothesis)", report.confusions, limit),
        _ranked("Deletions", report.deletions, limit),
        _ranked("Insertions", report.insertions, limit),
        _worst(report.worst[:num_worst], width),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def percent(rate: float | None) -> str:
    """Write a rate in percent with two decimals, or a dash where there is nothing to divide by."""
    return NO_RATE if rate is None else f"{100 * rate:.2f} %"


def _heading(report: Report) -> str:
    return "\n".join(
        [
            f"Reference   {report.pairing.reference}",
            f"Hypothesis  {report.pairing.hypothesis}",
            f"Utterances  {report.pairing.num_scored:,}, paired by {report.pairing.by}",
            f"Normalizer  {report.normalizer} ({report.normalizer_version})",
        ]
    )


def _rates(report: Report) -> str:
    sides = (("raw", report.raw), ("normalised", report.normalised))
    rows = [["", "", "rate", "errors", "substituted", "deleted", "inserted", "of"]]
    rows += [_counts("WER", name, measures.words, "words") for name, measures in sides]
    rows += [_counts("CER", name, measures.characters, "characters") for name, measures in sides]
    rows += [_sentences(name, measures) for name, measures in sides]
    return _table(rows, left=2)


def _counts(measure: str, side: str, rate: ErrorRate, unit: str) -> list[str]:
    counts = (rate.errors, rate.substitutions, rate.deletions, rate.insertions)
    return [measure, side, percent(rate.rate), *(f"{count:,}" for count in counts), f"{rate.reference_length:,} {unit}"]


def _sentences(side: str, measures: Measures) -> list[str]:
    rate = percent(measures.sentence_error_rate)
    return ["SER", side, rate, f"{measures.wrong_sentences:,}", "", "", "", f"{measures.sentences:,} sentences"]


def remarks(report: Report) -> list[tuple[tuple[str, ...], str]]:
    """List what a reader must know of the data before the rates: the ids it concerns, and what it is."""
    pairing = report.pairing
    return [
        (pairing.missing, "Missing hypotheses, their words counted as deletions"),
        (pairing.extra, "Extra hypotheses without a reference, not scored"),
        (pairing.doubled_references, "Doubled ids in the reference, the first of each scored"),
        (pairing.doubled_hypotheses, "Doubled ids in the hypothesis, the first of each scored"),
        (report.empty_references, "Empty references, what was recognised there counted as insertions"),
        (report.emptied_references, "References without words after normalising"),
    ]


def _remarks(report: Report) -> str:
    lines = [f"{text}: {len(ids):,} ({_safe(listed(list(ids)))})" for ids, text in remarks(report) if ids]
    if report.pairing.by == "line":
        lines.append("Paired by line, since there are no ids: a line lost and another added would pass unseen.")
    return "\n".join(lines)


def _groups(report: Report) -> str:
    rows = [[str(report.group_by), "WER raw", "WER normalised", "CER normalised", "words", "sentences"]]
    rows += [
        [
            _safe(group.value) or NO_RATE,
            percent(group.raw.words.rate),
            percent(group.normalised.words.rate),
            percent(group.normalised.characters.rate),
            f"{group.normalised.words.reference_length:,}",
            f"{group.normalised.sentences:,}",
        ]
        for group in report.groups
    ]
    return _table(rows, left=1)


def _ranked(title: str, edits: Sequence[Confusion], limit: int) -> str:
    if not edits:
        return ""
    shown = [f"{edit.count:>7,}  {_pair(edit)}" for edit in edits[:limit]]
    beyond = f", {limit} of {len(edits):,} kinds" if len(edits) > limit else ""
    return "\n".join([f"{title}, normalised words{beyond}", *shown])


def _pair(edit: Confusion) -> str:
    return _safe(" > ".join(side for side in (edit.reference, edit.hypothesis) if side is not None))


def _worst(worst: Sequence[ScoredUtterance], width: int) -> str:
    if not worst:
        return ""
    blocks = [f"{_title(scored)}\n{_aligned(scored.alignment, width)}" for scored in worst]
    return "\n\n".join(["Utterances with the most errors, normalised words", *blocks])


def _title(scored: ScoredUtterance) -> str:
    errors, length = scored.words.errors, scored.words.reference_length
    return f"{_safe(scored.id)}: {errors} {'error' if errors == 1 else 'errors'} in {length} words"


def _aligned(alignment: Alignment, width: int) -> str:
    """Set the words of both sides below each other, a mark below each error, wrapped between words."""
    labels = ["  reference   ", "  hypothesis  ", "              "]
    lines: list[list[str]] = []
    used = width
    for step in alignment:
        cells = _cells(step)
        needed = max(map(_columns, cells)) + 1
        if used + needed > width:
            lines.append(list(labels))
            used = len(labels[0])
        for row, cell in enumerate(cells):
            lines[-1][row] += _padded(cell, needed)
        used += needed
    return "\n".join(row.rstrip() for rows in lines for row in rows if row.strip())


def _cells(step: Step) -> tuple[str, str, str]:
    reference, hypothesis = _safe(step.reference or ""), _safe(step.hypothesis or "")
    gap = "*" * max(_columns(reference), _columns(hypothesis))
    return reference or gap, hypothesis or gap, MARKS[step.kind]


def _table(rows: Sequence[Sequence[str]], *, left: int) -> str:
    """Align columns: the first few to the left, the others to the right."""
    widths = [max(map(_columns, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            _padded(cell, width) if index < left else " " * (width - _columns(cell)) + cell
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _columns(text))


def _columns(text: str) -> int:
    """Count the columns of a terminal: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
        if not unicodedata.combining(character) and unicodedata.category(character) != "Cf"
    )


def _safe(text: str) -> str:
    """Write out control characters, which could otherwise steer the terminal that shows the report."""
    if text.isprintable():
        return text
    return "".join(
        character.encode("unicode_escape").decode()
        if unicodedata.category(character) == "Cc" or character in DIRECTIONS
        else character
        for character in text
    )
