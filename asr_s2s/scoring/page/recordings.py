"""The sound behind the words: links from the page to the audio files, or the files themselves within it."""

import base64
import math
import mimetypes
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from asr_s2s.errors import ScoringError, listed
from asr_s2s.scoring.page.rows import Row, labels_of

UNKNOWN_TYPE = "audio/basic"  # a browser looks into the file itself then
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


def links(paths: Sequence[Path], *, folder: Path) -> list[str]:
    """Write each path as an address relative to the page's folder; a browser goes up by names, not by links."""
    here = os.path.abspath(folder)  # noqa: PTH100 - Path.resolve would follow links, Path.absolute keeps '..'
    return [quote(Path(os.path.relpath(path, here)).as_posix()) for path in paths]


def embedded(paths: Sequence[Path]) -> list[str]:
    """Write each file as a data address.

    Raises ScoringError that names the files that cannot be read.
    """
    addresses: list[str] = []
    faults: list[str] = []
    for path in paths:
        kind = mimetypes.guess_type(path.name)[0] or UNKNOWN_TYPE
        try:
            addresses.append(f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}")
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
