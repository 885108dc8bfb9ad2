"""Utterances as text: the words of both sides below each other, a mark below each error."""

from collections.abc import Sequence

from asr_s2s.errors import counted
from asr_s2s.scoring.align import Alignment, Step
from asr_s2s.scoring.report import ScoredUtterance
from asr_s2s.scoring.text_layout import columns, padded, safe

MARKS = {"correct": "", "substitution": "S", "deletion": "D", "insertion": "I"}


def worst_utterances(worst: Sequence[ScoredUtterance], width: int) -> str:
    """Show utterances, wrapped at a width in columns."""
    if not worst:
        return ""
    blocks = [f"{_title(scored)}\n{_aligned(scored.alignment, width)}" for scored in worst]
    return "\n\n".join(["Utterances with the most errors, normalised words", *blocks])


def _title(scored: ScoredUtterance) -> str:
    errors, length = scored.words.errors, scored.words.reference_length
    return f"{safe(scored.id)}: {counted(errors, 'error')} in {counted(length, 'word')}"


def _aligned(alignment: Alignment, width: int) -> str:
    """Set the words of both sides below each other, a mark below each error, wrapped between words."""
    labels = ["  reference   ", "  hypothesis  ", "              "]
    lines: list[list[str]] = []
    used = width
    for step in alignment:
        cells = _cells(step)
        needed = max(map(columns, cells)) + 1
        if used + needed > width:
            lines.append(list(labels))
            used = len(labels[0])
        for row, cell in enumerate(cells):
            lines[-1][row] += padded(cell, needed)
        used += needed
    return "\n".join(row.rstrip() for rows in lines for row in rows if row.strip())


def _cells(step: Step) -> tuple[str, str, str]:
    reference, hypothesis = safe(step.reference or ""), safe(step.hypothesis or "")
    gap = "*" * max(columns(reference), columns(hypothesis))
    return reference or gap, hypothesis or gap, MARKS[step.kind]
