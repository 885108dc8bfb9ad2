"""A manifest's side: `text` is the reference, `pred_text` the hypothesis, every other field a label."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from asr_s2s.errors import ManifestError, ScoringError, listed
from asr_s2s.inputs import InputFile, folder_of
from asr_s2s.manifest import parse_record, record_id
from asr_s2s.scoring.sources.records import BrokenRecordError, RecordFile, SkippedRecordError
from asr_s2s.scoring.sources.source import Side, Text

FIELDS: dict[Side, str] = {"reference": "text", "hypothesis": "pred_text"}


def manifest_file(file: InputFile, side: Side) -> RecordFile:
    """Read one side; a line without pred_text is a missing hypothesis.

    Raises ScoringError, once read, when a reference, or every hypothesis, lacks its field.
    """
    field, folder = FIELDS[side], folder_of(file.path)

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
            record["audio_filepath"] = str(folder / str(record["audio_filepath"]))
        return Text(name, text, record)

    check = _check_references if side == "reference" else _check_hypotheses
    return RecordFile(file, parse, name=f"{file.path} ({field})", check=check)


def holds_both_sides(lines: Sequence[str]) -> bool:
    """Return whether any of these lines holds a reference and a hypothesis."""
    return any(all(isinstance(record.get(field), str) for field in FIELDS.values()) for record in _records(lines))


def _records(lines: Sequence[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        with suppress(ManifestError):  # is said when the file is read
            yield parse_record(line)


def _check_references(records: RecordFile) -> None:
    if records.skipped:
        raise ScoringError(
            f"{records.file.path}: {len(records.skipped)} of {len(records.skipped) + len(records)} utterances have no "
            f"'text' to score against: {listed(records.skipped)}. Add what was said (an empty string where nothing "
            "was), or remove these lines."
        )


def _check_hypotheses(records: RecordFile) -> None:
    if records.skipped and not len(records):
        raise ScoringError(
            f"{records.file.path}: no line has 'pred_text', so there is nothing to score. Write it with 'asr-s2s "
            "transcribe --manifest', or rename the field that holds what was recognised."
        )
