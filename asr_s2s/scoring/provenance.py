"""Where numbers come from: the command, the versions, and hashes of the data."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from asr_s2s.inputs import InputFile

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


def provenance(files: Sequence[InputFile | None], options: Mapping[str, object], command: str) -> Provenance:
    """Hash the files and note the versions."""
    named = {str(file.path): file for file in files if file}
    return Provenance(
        files=tuple(DataFile(path, file.sha256()) for path, file in named.items()),
        options=options,
        versions=versions(),
        command=command,
    )


def versions() -> dict[str, str]:
    """Name the versions of all that decides about a number."""
    found = {"asr-s2s": version("asr-s2s"), "python": platform.python_version()}
    return found | {package: version(package) for package in PACKAGES}
