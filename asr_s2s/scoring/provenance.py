"""Where numbers come from: the command, the versions, and hashes of the data."""

import hashlib
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("numpy", "rapidfuzz", "whisper-normalizer")


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file that was read, with the hash of its bytes."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """What is needed to compute a report again; no files for texts from memory.

    options: those that the numbers depend on, by the names of score_files
    """

    files: tuple[DataFile, ...]
    options: Mapping[str, object]
    versions: Mapping[str, str]
    command: str


def provenance(paths: Sequence[Path | None], options: Mapping[str, object], command: str) -> Provenance:
    """Hash the files and note the versions."""
    named = dict.fromkeys(path for path in paths if path)
    return Provenance(
        files=tuple(DataFile(str(path), file_hash(path)) for path in named),
        options=options,
        versions=versions(),
        command=command,
    )


def file_hash(path: Path) -> str:
    """Hash a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def versions() -> dict[str, str]:
    """Name the versions of all that decides about a number."""
    found = {"asr-s2s": version("asr-s2s"), "python": platform.python_version()}
    return found | {package: version(package) for package in PACKAGES}
