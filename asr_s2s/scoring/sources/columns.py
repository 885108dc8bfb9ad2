"""CSV and TSV files with a line of names at the top; a quoted cell may hold line ends."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from asr_s2s.errors import ScoringError
from asr_s2s.scoring.sources.records import (
    BrokenRecordError,
    RecordFile,
    SkippedRecordError,
    decoded,
    opened,
    single_lines,
)
from asr_s2s.scoring.sources.source import By, Side, Text, line_name

DELIMITERS = {".csv": ",", ".tsv": "\t"}
ID_COLUMNS = ("id", "utterance_id", "utt_id", "utterance", "path", "audio_filepath", "file", "audio")  # best first
TEXT_COLUMNS: dict[Side, tuple[str, ...]] = {
    "reference": ("text", "reference", "ref", "sentence", "transcript", "transcription"),
    "hypothesis": ("pred_text", "hypothesis", "hyp", "prediction", "text", "sentence", "transcript", "transcription"),
}


def column_file(path: Path, side: Side) -> RecordFile:
    """Read one side of a table; without a column of ids its lines are paired by their number.

    Raises ScoringError when no column holds the texts.
    """
    delimiter = DELIMITERS[path.suffix.lower()]
    names = header(path)
    text_column = _column(names, TEXT_COLUMNS[side])
    if text_column is None:
        raise ScoringError(
            f"{path}: has the columns {', '.join(names) or '(none)'}, none of them with a {side}. "
            f"Name one of them '{TEXT_COLUMNS[side][0]}'."
        )
    id_column = _column(names, ID_COLUMNS)

    def parse(record: str, number: int) -> Text:
        cells = _cells(record, delimiter)
        if number == 0 or not cells:
            raise SkippedRecordError
        if len(cells) != len(names):
            raise BrokenRecordError(f"has {len(cells)} cells under {len(names)} names. Quote cells that hold a comma.")
        row = dict(zip(names, cells, strict=True))
        text = row.pop(text_column)
        return Text(row[id_column] if id_column else line_name(number - 1), text, row)

    by: By = "id" if id_column else "line"
    records = _rows if delimiter == "," else single_lines
    return RecordFile(path, parse, by=by, name=f"{path} ({text_column})", records=records)


def has_both_sides(path: Path) -> bool:
    """Say whether one table holds references and hypotheses in columns of their own."""
    names = header(path)
    found = {_column(names, TEXT_COLUMNS[side]) for side in TEXT_COLUMNS}
    return None not in found and len(found) == len(TEXT_COLUMNS)


def header(path: Path) -> list[str]:
    """Read the names of the columns."""
    with opened(path) as file:
        _, first = next(_rows(iter(file)), (0, b""))
    return [name.strip() for name in _cells(decoded(first, path, 0), DELIMITERS[path.suffix.lower()])]


def _column(names: Sequence[str], wanted: Sequence[str]) -> str | None:
    return next((name for want in wanted for name in names if name.lower() == want), None)


def _cells(record: str, delimiter: str) -> list[str]:
    line = record.rstrip("\r\n")
    if delimiter == "\t":
        return line.split("\t") if line else []  # Common Voice's files hold bare quotes
    return next(csv.reader([line]), [])


def _rows(lines: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """Join lines until every quote is closed; a row is numbered by its first line."""
    row, first, open_quote = b"", 0, False
    for number, line in enumerate(lines):
        first = first if row else number
        row += line
        open_quote ^= bool(line.count(b'"') % 2)
        if not open_quote:
            yield first, row
            row = b""
    if row:
        yield first, row
