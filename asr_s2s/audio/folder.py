"""Which files of a folder are recordings, and which are not."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from asr_s2s.audio.findings import Findings
from asr_s2s.audio.opening import opened
from asr_s2s.errors import AudioError

# fmt: off
AUDIO_SUFFIXES = (  # of files that shall be recordings: one that cannot be read is an error, not left out
    ".3gp", ".aac", ".aif", ".aiff", ".amr", ".au", ".avi", ".caf", ".flac", ".flv", ".m4a", ".m4b", ".mka", ".mkv",
    ".mov", ".mp3", ".mp4", ".mpg", ".oga", ".ogg", ".opus", ".sph", ".w64", ".wav", ".webm", ".wma", ".wmv", ".wv",
)
# fmt: on


@dataclass
class FolderContent:
    """The recordings of a folder, in order, and what else is in it."""

    recordings: list[Path] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)


def find_recordings(folder: Path) -> FolderContent:
    """Find every file with sound in a folder, at any depth, also behind links; hidden files are none.

    A file is taken for what is in it, or for its name; so is a folder that cannot be opened, which is an error later.
    """
    found = FolderContent()
    unreadable: list[Path] = []
    seen: set[tuple[int, int]] = set()
    walk = os.walk(folder, followlinks=True, onerror=lambda error: unreadable.append(Path(error.filename)))
    for place, folders, names in walk:
        status = Path(place).stat()
        if (status.st_dev, status.st_ino) in seen:  # a link to a folder above
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        for path in (Path(place, name) for name in names):
            (found.recordings if _is_recording(path) else found.others).append(path)
    found.recordings = sorted(found.recordings + unreadable)
    found.others.sort()
    return found


def _is_recording(path: Path) -> bool:
    if path.name.startswith("."):
        return False
    if path.suffix.lower() in AUDIO_SUFFIXES and path.is_file():
        return True
    try:
        with opened(path, Findings(str(path), strict=False), track=1):
            return True
    except AudioError:
        return False
