"""Formats with an utterance a line: Kaldi `text`, trn, plain lines."""

import re
from pathlib import Path

from asr_s2s.scoring.sources.records import BrokenRecordError, RecordFile, SkippedRecordError
from asr_s2s.scoring.sources.source import Text, line_name

TRN_LINE = re.compile(r"(.*)\(([^()]+)\)\s*")
TRN_CHOICE = re.compile(r"\{.*/.*\}")  # sclite's "either of these"
# An id holds a digit beside a letter or a joint ("84-121123-0000"), or is a long number; a plain sentence seldom
# begins with such a word, and a whole file of them never does.
KALDI_ID = re.compile(r"(?=.*\d)(?=.*[^\W\d]|.*[-_./:])\S{3,}|\d{4,}")


def kaldi_file(path: Path) -> RecordFile:
    """Read `id words ...` lines."""
    return RecordFile(path, _kaldi_text)


def trn_file(path: Path) -> RecordFile:
    """Read `words ... (id)` lines."""
    return RecordFile(path, _trn_text)


def plain_file(path: Path) -> RecordFile:
    """Read lines without ids; an empty line is an utterance too."""
    return RecordFile(path, _plain_text, by="line")


def _kaldi_text(line: str, _: int) -> Text:
    parts = line.split(maxsplit=1)
    if not parts:
        raise SkippedRecordError
    return Text(parts[0], parts[1] if len(parts) > 1 else "")


def _trn_text(line: str, _: int) -> Text:
    stripped = line.strip()
    if not stripped or stripped.startswith(";;"):
        raise SkippedRecordError
    said, bracket, name = stripped.rpartition("(")
    if not bracket or not name.endswith(")") or len(name) == 1:
        raise BrokenRecordError("does not end with an id in brackets. Write 'words (id)'.")
    if "{" in said and TRN_CHOICE.search(said):
        raise BrokenRecordError(
            "holds alternatives such as '{ a / b }', which are not understood here. Write one spelling."
        )
    return Text(name[:-1].strip(), said.rstrip())


def _plain_text(line: str, number: int) -> Text:
    return Text(line_name(number), line.rstrip("\n"))  # a carriage return is white space like any other
