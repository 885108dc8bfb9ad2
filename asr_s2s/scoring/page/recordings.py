"""The sound behind the words: links from the page to the audio files, or the files themselves within it."""

import base64
import mimetypes
import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from asr_s2s.errors import ManifestError, ScoringError, listed
from asr_s2s.manifest import Utterance, read_manifest

UNKNOWN_TYPE = "audio/basic"  # a browser looks into the file itself then


def read_recordings(path: Path) -> dict[str, Utterance]:
    """Read the utterances of a manifest by id; none from a file that is no manifest."""
    try:
        return {utterance.id: utterance for utterance in read_manifest(path)}
    except ManifestError:
        return {}


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
            "Mend the manifest's audio_filepath, or leave --embed-audio out: the page then links to the files."
        )
    return addresses
