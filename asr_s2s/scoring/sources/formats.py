"""Which format a file has: told from its name, or else from its first lines; of lines without a form, from both files.

A pipe has no name that tells anything: what is in it does.
"""

import re
from collections.abc import Sequence
from itertools import islice
from typing import Literal

from asr_s2s.errors import ManifestError, ScoringError
from asr_s2s.inputs import InputFile
from asr_s2s.manifest import parse_record
from asr_s2s.scoring.sources.columns import looks_like_header
from asr_s2s.scoring.sources.ids import begin_with_ids, may_begin_with_ids, names_each_line
from asr_s2s.scoring.sources.lines import TRN_LINE
from asr_s2s.scoring.sources.records import decoded, opened

SourceFormat = Literal["manifest", "kaldi", "trn", "stm", "ctm", "seglst", "transcript", "columns", "lines"]

SUFFIXES: dict[str, SourceFormat] = {
    ".jsonl": "manifest",
    ".trn": "trn",
    ".stm": "stm",
    ".ctm": "ctm",
    ".csv": "columns",
    ".tsv": "columns",
}
CAPTIONS = (".srt", ".vtt", ".textgrid")
TIME, WHOLE = r"\d*\.\d+", r"\d+(\.\d*)?"  # with a point, which no spoken number has; whole seconds
STM, CTM = r"\S+\s+\S+\s+\S+\s+{0}\s+{0}(\s.*)?", r"\S+\s+\S+\s+{0}\s+{0}\s+\S+(\s.*)?"
FORMS: dict[re.Pattern[str], SourceFormat] = {  # that no text has on every line
    re.compile(STM.format(TIME)): "stm",
    re.compile(CTM.format(TIME)): "ctm",
}
MAYBE_TIMED = re.compile(f"{STM.format(WHOLE)}|{CTM.format(WHOLE)}")
JSON_START = re.compile(r'\s*(\{\s*("|$)|\[\s*(\{|$))')
YEAR = re.compile(r"1\d{3}|20\d{2}")  # as remarks have them: "the matrix (1999)"
CAPTION_TIMES = re.compile(r"WEBVTT|(\d+:)?\d\d:\d\d[,.]\d{3} --> ")
SEGLST_START = re.compile(r"\s*\[\s*(\{|$)")
NUM_LINES_LOOKED_AT = 1000


def formats_of(reference: InputFile, hypothesis: InputFile) -> tuple[SourceFormat, SourceFormat]:
    """Tell the formats of both sides. Raises ScoringError where they cannot be told, or a file cannot be read."""
    told, other = _told(reference), _told(hypothesis)
    if told and other:
        return told, other
    lines = first_lines(reference), first_lines(hypothesis)
    names = f"{reference.path} and {hypothesis.path}"
    if told or other:  # which has ids: lines without could not be paired with it
        with_ids = may_begin_with_ids(lines[1] if told else lines[0])
    else:
        with_ids = begin_with_ids(*lines, names=names)
    if with_ids:
        for file in [file for file, form in ((reference, told), (hypothesis, other)) if not form]:
            _check_ids(file)
    plain: SourceFormat = "kaldi" if with_ids else "lines"
    return told or plain, other or plain


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
    suffix = file.path.suffix.lower()
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    lines = first_lines(file)
    if suffix in CAPTIONS or any(map(CAPTION_TIMES.match, lines)):
        raise ScoringError(f"{file.path}: captions are not scored. Give the same transcript as txt, json, ctm or stm.")
    if file.path.name == "text" and names_each_line(lines):
        return "kaldi"
    if suffix == ".json" or (lines and JSON_START.match(lines[0])):
        return _json_format(lines)
    said = [line.strip() for line in lines if not line.startswith(";;")]
    for form, chosen in FORMS.items():
        if said and all(map(form.fullmatch, said)):
            return chosen
    if not suffix and said and all(map(MAYBE_TIMED.fullmatch, said)):
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
    """Say whether every line ends with an id in brackets. Raises ScoringError where that may be a remark as well."""
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
