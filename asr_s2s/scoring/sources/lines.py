"""Formats with an utterance a line: Kaldi `text`, trn, plain lines."""

import re

from asr_s2s.inputs import InputFile
from asr_s2s.scoring.sources.records import (
    BrokenRecordError,
    RecordFile,
    SkippedRecordError,
    refuse_bare_returns,
    refuse_choices,
)
from asr_s2s.scoring.sources.source import Text, line_name

TRN_LINE = re.compile(r"(.*)\(([^()]+)\)\s*")


def kaldi_file(file: InputFile) -> RecordFile:
    """Read `id words ...` lines."""
    return RecordFile(file, _kaldi_text)


def trn_file(file: InputFile) -> RecordFile:
    """Read `words ... (id)` lines."""
    return RecordFile(file, _trn_text)


def plain_file(file: InputFile) -> RecordFile:
    """Read lines without ids; an empty line is an utterance too."""
    return RecordFile(file, _plain_text, by="line")


def _kaldi_text(line: str, _: int) -> Text:
    refuse_bare_returns(line)
    parts = line.split(maxsplit=1)
    if not parts:
        raise SkippedRecordError
    return Text(parts[0], parts[1] if len(parts) > 1 else "")


def _trn_text(line: str, _: int) -> Text:
    refuse_bare_returns(line)
    stripped = line.strip()
    if not stripped or stripped.startswith(";;"):
        raise SkippedRecordError
    said, bracket, name = stripped.rpartition("(")
    if not bracket or not name.endswith(")") or len(name) == 1:
        raise BrokenRecordError("does not end with an id in brackets. Write 'words (id)'.")
    refuse_choices(said)
    return Text(name[:-1].strip(), said.rstrip())


def _plain_text(line: str, number: int) -> Text:
    refuse_bare_returns(line)
    return Text(line_name(number), line.rstrip("\n"))  # a carriage return is white space like any other
