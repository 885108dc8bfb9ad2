"""Text in columns for a terminal or a log: wide characters counted as such, none that could steer the terminal."""

import unicodedata
from collections.abc import Sequence

DIRECTIONS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # would turn the rest of a terminal's line around


def table(rows: Sequence[Sequence[str]], *, left: int) -> str:
    """Align columns: the first few to the left, the others to the right."""
    widths = [max(map(columns, cells)) for cells in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            padded(cell, width) if index < left else " " * (width - columns(cell)) + cell
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def padded(text: str, width: int) -> str:
    """Fill a text up with spaces."""
    return text + " " * (width - columns(text))


def columns(text: str) -> int:
    """Count the columns of a terminal: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
        if not unicodedata.combining(character) and unicodedata.category(character) != "Cf"
    )


def safe(text: str) -> str:
    """Write out control characters, which could otherwise steer the terminal that shows the report."""
    if text.isprintable():
        return text
    return "".join(
        character.encode("unicode_escape").decode()
        if unicodedata.category(character) == "Cc" or character in DIRECTIONS
        else character
        for character in text
    )
