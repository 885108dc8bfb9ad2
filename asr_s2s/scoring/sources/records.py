"""A file of records (lines, mostly) of which only the places are held: a text is read again when it is scored."""

import re
from array import array
from collections.abc import Callable, Iterator
from typing import BinaryIO

from asr_s2s.errors import ScoringError
from asr_s2s.inputs import InputFile, unicode_text
from asr_s2s.scoring.sources.source import By, Faults, Text

# sclite's "either of these": braces around several spellings, or around one that stand as words of their own
CHOICE = re.compile(r"\{[^{}]*/|(?<!\S)\{(?!\S)")
Records = Callable[[Iterator[bytes]], Iterator[tuple[int, bytes]]]
GZIP = b"\x1f\x8b"  # a packed file's first bytes; no UTF-8 text begins so
BYTE_ORDER_MARK = "\ufeff"
NEWLINE = b"\n"


class SkippedRecordError(Exception):
    """A record that names no text of this side: a comment, or a line that was not transcribed."""


class BrokenRecordError(Exception):
    """A record that does not follow its format; the message says what it should be."""


def refuse_choices(text: str) -> None:
    """Raise BrokenRecordError for a text in which sclite would choose between spellings."""
    if "{" in text and CHOICE.search(text):
        raise BrokenRecordError(
            "holds alternatives such as '{ a / b }', which are not understood here. Write one spelling."
        )


def refuse_bare_returns(line: str) -> None:
    """Raise BrokenRecordError for several lines that carriage returns alone part, as on old Macs."""
    if "\r" in line and "\r" in line.rstrip("\r\n"):
        raise BrokenRecordError("has line ends of carriage returns alone. Convert the file, for example with mac2unix.")


def single_lines(lines: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """Take each line as a record, with its number counted from 0."""
    return enumerate(lines)


class RecordFile:
    """One side in a file that is read record by record.

    parse: turns a record's text and number into a Text, or raises one of the two errors above
    """

    def __init__(
        self,
        file: InputFile,
        parse: Callable[[str, int], Text],
        *,
        by: By = "id",
        name: str = "",
        records: Records = single_lines,
        check: Callable[["RecordFile"], None] = lambda _: None,
        remarks: tuple[str, ...] = (),
    ) -> None:
        self.name = name or str(file.path)
        self.file = file
        self.by = by
        self.remarks = remarks
        self.skipped: list[str] = []  # where the records are that name no text, for messages
        self._parse, self._records, self._check = parse, records, check
        self._starts, self._numbers = array("q"), array("I")
        self._opened: BinaryIO | None = None

    def texts(self) -> Iterator[Text]:
        """Read all texts in order. Raises ScoringError that lists every broken record."""
        self._opened = opened(self.file)
        faults = Faults(self.file.path)
        start = end = 0
        for number, raw in self._records(iter(self._opened)):
            start, end = end, end + len(raw)
            try:
                text = self._parse(decoded(raw, self.file, number), number)
            except SkippedRecordError as skipped:
                if str(skipped):
                    self.skipped.append(f"{self.file.path}:{number + 1} {skipped}")
                continue
            except BrokenRecordError as broken:
                faults.add(number + 1, str(broken))
                continue
            self._starts.append(start)
            self._numbers.append(number)
            yield text
        faults.check()
        self._check(self)

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, number: int) -> Text:
        """Read the number-th text once more."""
        assert self._opened is not None, "texts() comes first"
        self._opened.seek(self._starts[number])
        _, raw = next(self._records(iter(self._opened)))
        return self._parse(decoded(raw, self.file, self._numbers[number]), self._numbers[number])

    def close(self) -> None:
        """Close the file."""
        if self._opened:
            self._opened.close()


def opened(file: InputFile) -> BinaryIO:
    """Open a file for reading. Raises ScoringError."""
    try:
        stream = file.open()
        is_gzip = stream.read(len(GZIP)) == GZIP
        stream.seek(0)
    except OSError as error:
        raise ScoringError(f"{file.path}: cannot be read ({error.strerror}). Name an existing file.") from error
    if is_gzip:
        stream.close()
        raise ScoringError(f"{file.path}: is packed with gzip. Give what is in it: <(zcat {file.path}).")
    return stream


def decoded(raw: bytes, file: InputFile, number: int) -> str:
    """Read a record as UTF-8; joined files have a byte order mark at each beginning. Raises ScoringError."""
    try:
        return raw.decode().removeprefix(BYTE_ORDER_MARK)
    except UnicodeDecodeError as error:
        line = number + error.object[: error.start].count(b"\n") + 1
        raise ScoringError(f"{file.path}:{line}: is not UTF-8 text. Convert the file with iconv.") from error


def whole_text(file: InputFile) -> str:
    """Read a whole file as UTF-8, or as UTF-16 that begins with its mark. Raises ScoringError."""
    with opened(file) as stream:
        raw = stream.read()
    try:
        return unicode_text(raw)
    except UnicodeDecodeError as error:
        raise ScoringError(
            f"{file.path}:{raw[: error.start].count(NEWLINE) + 1}: is not UTF-8 text. Convert the file with iconv."
        ) from error
