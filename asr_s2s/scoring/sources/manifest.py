"""A manifest's side: `text` is the reference, `pred_text` the hypothesis, every other field a label."""

from pathlib import Path

from asr_s2s.errors import ManifestError, ScoringError, listed
from asr_s2s.manifest import parse_record, record_id
from asr_s2s.scoring.sources.records import BrokenRecordError, RecordFile, SkippedRecordError
from asr_s2s.scoring.sources.source import Side, Text

FIELDS: dict[Side, str] = {"reference": "text", "hypothesis": "pred_text"}


def manifest_file(path: Path, side: Side) -> RecordFile:
    """Read one side; a line without pred_text is a missing hypothesis.

    Raises ScoringError, once read, when a reference, or every hypothesis, lacks its field.
    """
    field = FIELDS[side]

    def parse(line: str, _: int) -> Text:
        if not line.strip():
            raise SkippedRecordError
        try:
            record = parse_record(line)
            name = record_id(record)
        except ManifestError as error:
            raise BrokenRecordError(str(error)) from error
        text = record.pop(field, None)
        if text is None:
            raise SkippedRecordError(f"'{name}'")
        if not isinstance(text, str):
            raise BrokenRecordError(f"'{field}' is {str(text)[:60]}, not a string.")
        if "audio_filepath" in record:
            record["audio_filepath"] = str(path.parent / str(record["audio_filepath"]))
        return Text(name, text, record)

    check = _check_references if side == "reference" else _check_hypotheses
    return RecordFile(path, parse, name=f"{path} ({field})", check=check)


def _check_references(file: RecordFile) -> None:
    if file.skipped:
        raise ScoringError(
            f"{file.path}: {len(file.skipped)} of {len(file.skipped) + len(file)} utterances have no 'text' to score "
            f"against: {listed(file.skipped)}. "
            "Add what was said (an empty string where nothing was), or remove these lines."
        )


def _check_hypotheses(file: RecordFile) -> None:
    if file.skipped and not len(file):
        raise ScoringError(
            f"{file.path}: no line has 'pred_text', so there is nothing to score. Write it with 'asr-s2s transcribe "
            "--manifest', or rename the field that holds what was recognised."
        )
