"""Read references and hypotheses; the format is told from the file's name or its first lines.

A manifest by its suffix or its first key, trn by its suffix or the ids in brackets that end its lines, Kaldi `text` by
its name or by first words that look like ids, stm, ctm, csv, tsv and SegLST by their suffix, a transcript by a first
line that opens an object alone; anything else is plain lines.
"""

import re
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Literal

from asr_s2s.errors import ScoringError
from asr_s2s.scoring.sources.columns import column_file, has_both_sides
from asr_s2s.scoring.sources.lines import KALDI_ID, TRN_LINE, kaldi_file, plain_file, trn_file
from asr_s2s.scoring.sources.manifest import manifest_file
from asr_s2s.scoring.sources.records import decoded, opened
from asr_s2s.scoring.sources.source import By, HeldSource, Side, Source, Text, by_line
from asr_s2s.scoring.sources.timed import by_recording, by_time, read_ctm, read_seglst, read_stm
from asr_s2s.scoring.sources.transcript import transcript_file

SourceFormat = Literal["manifest", "kaldi", "trn", "stm", "ctm", "seglst", "transcript", "columns", "lines"]

SUFFIXES: dict[str, SourceFormat] = {
    ".jsonl": "manifest",
    ".json": "manifest",
    ".trn": "trn",
    ".stm": "stm",
    ".ctm": "ctm",
    ".csv": "columns",
    ".tsv": "columns",
}
OPENERS: dict[SourceFormat, Callable[[Path, Side], Source]] = {
    "manifest": manifest_file,
    "columns": column_file,
    "kaldi": lambda path, _: kaldi_file(path),
    "trn": lambda path, _: trn_file(path),
    "lines": lambda path, _: plain_file(path),
    "stm": lambda path, _: by_recording(path, read_stm(path)),
    "ctm": lambda path, _: by_recording(path, read_ctm(path)),
    "seglst": lambda path, _: by_recording(path, read_seglst(path)),
    "transcript": lambda path, _: transcript_file(path),
}
MANIFEST_START = re.compile(r'\s*\{\s*"')
SEGLST_START = re.compile(r"\s*\[")
NUM_LINES_LOOKED_AT = 1000


def read_sides(
    reference: Path, hypothesis: Path | None, *, source_format: SourceFormat | None = None
) -> tuple[Source, Source]:
    """Open both sides, in the format asked for or else the one told from each file.

    hypothesis: None where one manifest or table holds both sides
    Raises ScoringError for files that cannot be read.
    """
    if hypothesis is None:
        return _both_sides(reference, source_format or format_of(reference))
    formats = source_format or format_of(reference), source_format or format_of(hypothesis)
    if formats == ("stm", "ctm"):
        return by_time(reference, read_stm(reference), hypothesis, read_ctm(hypothesis))
    return OPENERS[formats[0]](reference, "reference"), OPENERS[formats[1]](hypothesis, "hypothesis")


def format_of(path: Path) -> SourceFormat:
    """Tell a file's format from its name, or else from its first lines."""
    named: SourceFormat | None = "kaldi" if path.name == "text" else SUFFIXES.get(path.suffix.lower())
    if named and path.suffix.lower() != ".json":
        return named
    filled = _first_lines(path)
    if named:
        return _json_format(filled[0] if filled else "")
    if filled and MANIFEST_START.match(filled[0]):
        return "manifest"
    if filled and all(TRN_LINE.fullmatch(line) for line in filled):
        return "trn"
    if filled and all(KALDI_ID.fullmatch(line.split(maxsplit=1)[0]) for line in filled):
        return "kaldi"
    return "lines"


def _json_format(first: str) -> SourceFormat:
    """Tell what a .json file holds from its first line: a list, one object over many lines, or an object a line."""
    if SEGLST_START.match(first):
        return "seglst"
    return "transcript" if first.strip() == "{" else "manifest"


def _first_lines(path: Path) -> Sequence[str]:
    with opened(path) as file:
        lines = [decoded(raw, path, number) for number, raw in enumerate(islice(file, NUM_LINES_LOOKED_AT))]
    return [line for line in lines if line.strip()]


def _both_sides(path: Path, chosen: SourceFormat) -> tuple[Source, Source]:
    if chosen == "manifest" or (chosen == "columns" and has_both_sides(path)):
        return OPENERS[chosen](path, "reference"), OPENERS[chosen](path, "hypothesis")
    raise ScoringError(
        f"{path}: holds one side alone. One file must be a manifest with 'text' and 'pred_text' on each line, or a "
        "table with such columns; otherwise give two files: the reference, then the hypothesis."
    )


__all__ = ["By", "HeldSource", "Side", "Source", "SourceFormat", "Text", "by_line", "read_sides"]
