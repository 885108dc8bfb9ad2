"""Which format a file has: told from its name, or else from its first lines; of lines without a form, from both files.

A pipe has no name that tells anything: what is in it does.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Literal

from asr_s2s.errors import ManifestError, ScoringError
from asr_s2s.inputs import InputFile
from asr_s2s.manifest import parse_record, record_id
from asr_s2s.scoring.sources.columns import looks_like_header
from asr_s2s.scoring.sources.ids import begin_with_ids, may_begin_with_ids, names_each_line
from asr_s2s.scoring.sources.lines import TRN_LINE
from asr_s2s.scoring.sources.records import decoded, opened
from asr_s2s.scoring.sources.transcript import kind_of

SourceFormat = Literal[
    "manifest", "kaldi", "trn", "stm", "ctm", "seglst", "transcript", "columns", "lines", "text", "folder"
]

SUFFIXES: dict[str, SourceFormat] = {
    ".jsonl": "manifest",
    ".trn": "trn",
    ".stm": "stm",
    ".ctm": "ctm",
    ".srt": "transcript",
    ".vtt": "transcript",
    ".textgrid": "transcript",
    ".html": "transcript",
    ".csv": "columns",
}
TIME, WHOLE = r"\d*\.\d+", r"\d+(\.\d*)?"  # with a point, which no spoken number has; whole seconds
STM, CTM = r"\S+\s+\S+\s+\S+\s+{0}\s+{0}(\s.*)?", r"\S+\s+\S+\s+{0}\s+{0}\s+\S+(\s.*)?"
FORMS: dict[re.Pattern[str], SourceFormat] = {  # that no text has on every line
    re.compile(STM.format(TIME)): "stm",
    re.compile(CTM.format(TIME)): "ctm",
}
MAYBE_TIMED = re.compile(f"{STM.format(WHOLE)}|{CTM.format(WHOLE)}")
JSON_START = re.compile(r'\s*(\{\s*("|$)|\[\s*(\{|$))')
YEAR = re.compile(r"1\d{3}|20\d{2}")  # as remarks have them: "the matrix (1999)"
SEGLST_START = re.compile(r"\s*\[\s*(\{|$)")
NUM_LINES_LOOKED_AT = 1000
TIMED = ("stm", "ctm", "seglst")


def formats_of(
    reference: InputFile, hypothesis: InputFile, named: SourceFormat | None = None
) -> tuple[SourceFormat, SourceFormat]:
    """Tell the formats of both sides; named: what all files are, if it was said.

    Raises ScoringError where they cannot be told, or a file cannot be read.
    """
    told, other = named or _told(reference), named or _told(hypothesis)
    if told and other:
        return told, other
    if told:
        return told, _plain_beside(told, reference, hypothesis)
    if other:
        return _plain_beside(other, hypothesis, reference, one_is_whole=True), other
    lines = first_lines(reference), first_lines(hypothesis)
    if begin_with_ids(*lines, names=f"{reference.path} and {hypothesis.path}"):
        for file in (reference, hypothesis):
            _check_ids(file)
        return "kaldi", "kaldi"
    if len(lines[0]) == 1 and _num_lines(hypothesis) > _num_lines(reference):
        return "text", "text"  # a recording on one line, and the segments of its transcript
    return "lines", "lines"


def _plain_beside(told: SourceFormat, known: InputFile, file: InputFile, *, one_is_whole: bool = False) -> SourceFormat:
    """Tell the format of plain text beside a file of another format: with ids, or one recording's text.

    one_is_whole: whether the other file, if it has one line alone, is the transcript of the whole recording
    """
    lines = first_lines(file)
    if told == "transcript":
        return "kaldi" if any(line.split()[0] == known.path.stem for line in lines) else "text"
    if may_begin_with_ids(lines):
        _check_ids(file)
        return "kaldi"
    others = first_lines(known)
    whole = one_is_whole and len(others) == 1 and told in ("manifest", "trn")
    named = told == "manifest" and file.path.stem in _ids(others)
    return "text" if told in TIMED or told == "folder" or whole or named else "lines"


def _ids(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        with suppress(ManifestError):  # is said when the file is read
            yield record_id(parse_record(line))


def _num_lines(file: InputFile) -> int:
    with opened(file) as stream:
        return sum(1 for _ in stream)


def format_of(file: InputFile) -> SourceFormat:
    """Tell the format of a file that stands alone. Raises ScoringError."""
    return _told(file) or "lines"


def first_lines(file: InputFile) -> Sequence[str]:
    """Read the first lines that are not blank. Raises ScoringError."""
    with opened(file) as stream:
        lines = [decoded(raw, file, number) for number, raw in enumerate(islice(stream, NUM_LINES_LOOKED_AT))]
    return [line for line in lines if line.strip()]


def _check_ids(file: InputFile) -> None:
    """Refuse a file whose first lines begin with ids where a later one does not: it may be none at all."""
    with opened(file) as stream:
        for number, raw in enumerate(stream):
            words = raw.split(maxsplit=1)
            if words and not re.search(rb"\d", words[0]):
                raise ScoringError(
                    f"{file.path}:{number + 1}: begins with {words[0].decode(errors='replace')!r}, other lines with "
                    "ids. Say which they are: --format kaldi or --format lines."
                )


def _told(file: InputFile) -> SourceFormat | None:
    """Tell a format from a file's name or form; None for lines that begin with ids, or with words."""
    if file.path.is_dir():
        return "folder"
    suffix = file.path.suffix.lower()
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    lines = first_lines(file)
    if kind_of(lines) or suffix == ".tsv":
        return "transcript" if kind_of(lines) else "columns"
    if file.path.name == "text" and names_each_line(lines):
        return "kaldi"
    if suffix == ".json" or (lines and JSON_START.match(lines[0])):
        return _json_format(lines)
    return _form_of([line.strip() for line in lines if not line.startswith(";;")], file)


def _form_of(said: Sequence[str], file: InputFile) -> SourceFormat | None:
    """Tell a format from the form of all lines."""
    for form, chosen in FORMS.items():
        if said and all(map(form.fullmatch, said)):
            return chosen
    if not file.path.suffix and said and all(map(MAYBE_TIMED.fullmatch, said)):
        raise ScoringError(f"{file.path}: may be stm or ctm with whole seconds, or text. Name the file by its format.")
    if said and looks_like_header(said[0]):
        return "columns"
    return "trn" if said and _is_trn(said, file) else None


def _json_format(lines: Sequence[str]) -> SourceFormat:
    """Tell a list, one object (over many lines, or of segments without a name, as Whisper's), or an object a line."""
    if not lines:
        return "manifest"
    if SEGLST_START.match(lines[0]):
        return "seglst"
    if lines[0].strip() == "{":
        return "transcript"
    try:
        record = parse_record(lines[0])
    except ManifestError:
        return "manifest"
    if {"id", "audio_filepath", "pred_text"} & record.keys():
        return "manifest"
    return "transcript" if "segments" in record or (len(lines) == 1 and "text" in record) else "manifest"


def _is_trn(lines: Sequence[str], file: InputFile) -> bool:
    """Return whether every line ends with an id in brackets. Raises ScoringError where that may be a remark as well."""
    found = [TRN_LINE.fullmatch(line) for line in lines]
    ids = [each[2].strip() for each in found if each]
    if len(ids) < len(lines) or any(len(name.split()) != 1 for name in ids):
        return False
    if all(re.search(r"\d", name) for name in ids) and not all(map(YEAR.fullmatch, ids)):
        return True
    if len(set(ids)) < len(ids):
        return False  # remarks, such as (laughs)
    raise ScoringError(
        f"{file.path}: the lines end with '({ids[0]})', which may be an id or a remark. Say which: --format trn or "
        "--format lines."
    )
