"""Rows of tables: CSV (RFC 4180) by commas or semicolons, and TSV, where quotation marks are as other characters."""

import csv
import sys
from collections import deque
from collections.abc import Iterator, Sequence

TAB = "\t"


class RowError(Exception):
    """A row that is no row of its table; the message says what is wrong and what to do."""


def delimiter_of(header: str, *, suffix: str = "") -> str:
    """Find what parts the columns from the line of their names; suffix: .tsv has nothing but tabs."""
    if suffix == ".tsv" or header.count(TAB) > max(header.count(","), header.count(";")):
        return TAB
    return ";" if header.count(";") > header.count(",") else ","


def rows(lines: Iterator[bytes], delimiter: str) -> Iterator[tuple[int, bytes]]:
    """Join the lines of each row, numbered by the first of them from 0: a quoted cell of CSV may hold line ends.

    Where a quotation mark is not closed, or only behind what looks like other rows, its line stands alone.
    """
    if delimiter == TAB:
        yield from enumerate(lines)
        return
    csv.field_size_limit(sys.maxsize)  # of the process; a recording of hours is one cell
    again: deque[bytes] = deque()  # lines that were taken for a part of the row before
    number = width = 0
    while True:
        taken: list[bytes] = []
        try:
            found = next(csv.reader(_texts(again, lines, taken), delimiter=delimiter, strict=True))
        except StopIteration:
            return
        except csv.Error:
            found = []
        width = width or len(found)
        if len(taken) > 1 and (not found or _reaches_over_rows(found, delimiter, width)):
            again.extendleft(reversed(taken[1:]))
            del taken[1:]
        yield number, b"".join(taken)
        number += len(taken)


def _texts(again: deque[bytes], lines: Iterator[bytes], taken: list[bytes]) -> Iterator[str]:
    """Hand out lines, and keep what was handed out: a reader of CSV takes those of a row."""
    while (line := again.popleft() if again else next(lines, None)) is not None:
        taken.append(line)
        yield taken[-1].decode("latin-1")  # quotes and delimiters are ASCII, which no other byte of UTF-8 is


def _reaches_over_rows(cells: Sequence[str], delimiter: str, width: int) -> bool:
    """Return whether a cell holds what looks like rows: where two rows lack a quotation mark, the two still pair up.

    A line within a cell looks like a row if it has as many cells, and the last one if it has as many before its end.
    """
    for place, cell in enumerate(cells):
        _, *lines = cell.split("\n")
        wanted = [width - 1] * (len(lines) - 1) + [place]
        for line, count in zip(lines, wanted, strict=False):
            if 0 < count == line.count(delimiter) and not any(part[:1].isspace() for part in line.split(delimiter)):
                return True
    return False


def cells(row: str, delimiter: str, *, width: int | None = None) -> list[str]:
    """Cut a row into its cells; none for a blank one.

    width: how many there should be
    Raises RowError.
    """
    line = row.rstrip("\r\n")
    if delimiter == TAB:
        found = line.split(TAB) if line else []
    else:
        try:
            found = next(csv.reader([line], delimiter=delimiter, strict=True), [])
        except csv.Error as error:
            raise RowError(_fault(error)) from error
    if found and width is not None and len(found) != width:
        raise RowError(f"has {len(found)} cells under {width} names. Quote cells that hold '{delimiter}'.")
    return found


def _fault(error: csv.Error) -> str:
    if "end of data" in str(error):
        return "opens a quotation mark and does not close it. Close it, or double the marks that belong to the text."
    if "new-line" in str(error):
        return "has line ends of carriage returns alone. Convert the file, for example with mac2unix."
    return f"is no row of CSV ({error}). Double quotation marks that belong to a text, and quote the whole cell."
