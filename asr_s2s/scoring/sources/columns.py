"""CSV and TSV files with a line of names at the top; a quoted cell may hold line ends."""

from collections import Counter
from collections.abc import Sequence
from functools import partial

from asr_s2s.errors import ScoringError
from asr_s2s.inputs import InputFile
from asr_s2s.scoring.sources.records import (
    BrokenRecordError,
    RecordFile,
    SkippedRecordError,
    decoded,
    opened,
)
from asr_s2s.scoring.sources.source import By, Side, Text, line_name
from asr_s2s.tables import RowError, cells, delimiter_of, rows

ID_COLUMNS = ("id", "utterance_id", "utt_id", "utterance", "path", "audio_filepath", "file", "audio")  # best first
EITHER_SIDE = ("text", "sentence", "transcript", "transcription")
TEXT_COLUMNS: dict[Side, tuple[tuple[str, ...], ...]] = {  # best first; names that stand together mean the same
    "reference": ((*EITHER_SIDE, "reference", "ref"),),
    "hypothesis": (("pred_text", "hypothesis", "hyp", "prediction"), EITHER_SIDE),
}


def column_file(file: InputFile, side: Side) -> RecordFile:
    """Read one side of a table; without a column of ids its lines are paired by their number.

    Raises ScoringError when no column holds the texts, or several may.
    """
    names, delimiter = header(file)
    text_columns = _text_columns(names, side)
    if not text_columns:
        raise ScoringError(
            f"{file.path}: has the columns {', '.join(names) or '(none)'}, none of them with a {side}. "
            f"Name one of them '{TEXT_COLUMNS[side][0][0]}'."
        )
    if doubled := [name for name, count in Counter(map(str.lower, names)).items() if count > 1]:
        raise ScoringError(f"{file.path}: has several columns named '{doubled[0]}'. Give each a name of its own.")
    if len(text_columns) > 1:
        raise ScoringError(
            f"{file.path}: any of the columns {', '.join(text_columns)} may be the {side}. Rename all but one of them."
        )
    text_column = text_columns[0]
    id_column = next(iter(_columns(names, ID_COLUMNS)), None)

    def parse(record: str, number: int) -> Text:
        if number == 0:
            raise SkippedRecordError
        try:
            found = cells(record, delimiter, width=len(names))
        except RowError as error:
            raise BrokenRecordError(str(error)) from error
        if not found:
            raise SkippedRecordError
        row = dict(zip(names, found, strict=True))
        text = row.pop(text_column)
        name = row[id_column] if id_column else line_name(number - 1)
        if not name:
            raise BrokenRecordError(f"has nothing in the column '{id_column}'. Name the utterance.")
        return Text(name, text, row)

    by: By = "id" if id_column else "line"
    split = partial(rows, delimiter=delimiter)
    return RecordFile(file, parse, by=by, name=f"{file.path} ({text_column})", records=split)


def names_both_sides(names: Sequence[str]) -> bool:
    """Return whether the columns of a table hold references and hypotheses, each in a column of their own."""
    found = [set(_text_columns(names, side)) for side in TEXT_COLUMNS]
    return all(found) and not set.intersection(*found)


def looks_like_header(line: str) -> bool:
    """Return whether a line names the columns of a table of texts: one of ids or one of another side beside them."""
    try:
        names = _names(line, delimiter_of(line))
    except RowError:
        return False
    texts = any(_text_columns(names, side) for side in TEXT_COLUMNS)
    return len(names) > 1 and texts and (bool(_columns(names, ID_COLUMNS)) or names_both_sides(names))


def header(file: InputFile) -> tuple[list[str], str]:
    """Read the names of the columns, and what parts them. Raises ScoringError."""
    with opened(file) as stream:
        first = decoded(stream.readline(), file, 0)
    delimiter = delimiter_of(first, suffix=file.path.suffix.lower())
    try:
        return _names(first, delimiter), delimiter
    except RowError as error:
        raise ScoringError(f"{file.path}:1: {error}") from error


def _names(line: str, delimiter: str) -> list[str]:
    return [name.strip() for name in cells(line, delimiter)]


def _text_columns(names: Sequence[str], side: Side) -> list[str]:
    return next((found for wanted in TEXT_COLUMNS[side] if (found := _columns(names, wanted))), [])


def _columns(names: Sequence[str], wanted: Sequence[str]) -> list[str]:
    return [name for want in wanted for name in names if name.lower() == want]
