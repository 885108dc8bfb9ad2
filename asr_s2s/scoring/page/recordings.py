"""The sound behind the words: links from the page to the audio files, or the files themselves within it."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from asr_s2s.errors import ScoringError, listed
from asr_s2s.scoring.page.rows import Row, labels_of
from asr_s2s.transcripts.page import data_address

NO_FILE = -1


def recording_columns(rows: Sequence[Row]) -> tuple[dict[str, Any], list[Path]]:
    """Return where each utterance is heard (number of its file, start and length in seconds), and the files."""
    numbers: dict[str, int] = {}
    columns: dict[str, list[Any]] = {"file": [], "start": [], "seconds": []}
    for row in rows:
        labels = labels_of(row)
        path = labels.get("audio_filepath")
        columns["file"].append(numbers.setdefault(str(path), len(numbers)) if path else NO_FILE)
        columns["start"].append(_seconds(labels.get("offset")) or 0)
        columns["seconds"].append(_seconds(labels.get("duration")))
    return columns, [Path(path) for path in numbers]


def embedded(paths: Sequence[Path]) -> list[str]:
    """Write each file as a data address.

    Raises ScoringError that names the files that cannot be read.
    """
    addresses: list[str] = []
    faults: list[str] = []
    for path in paths:
        try:
            addresses.append(data_address(path))
        except OSError as error:
            faults.append(f"{path} ({error.strerror})")
    if faults:
        raise ScoringError(
            f"{len(faults)} of {len(paths)} recordings cannot be put into the page: {listed(faults)}. "
            "Correct the manifest's audio_filepath, or leave --embed-audio out: the page then links to the files."
        )
    return addresses


def _seconds(value: object) -> float | None:
    try:
        seconds = float(value)  # type: ignore[arg-type]  # None and words are caught
    except (TypeError, ValueError):
        return None
    return seconds if math.isfinite(seconds) else None
