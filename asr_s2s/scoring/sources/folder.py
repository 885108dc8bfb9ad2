"""A folder with a file for each recording, as `asr-s2s transcribe --output-dir` writes it; files are paired by name."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from asr_s2s.errors import ScoringError
from asr_s2s.inputs import InputFile
from asr_s2s.scoring.sources.source import MemorySource, Text
from asr_s2s.scoring.sources.transcript import SUFFIXES, text_file, transcript_file
from asr_s2s.transcripts import seglst

READERS = dict.fromkeys(SUFFIXES, transcript_file) | {".txt": text_file}


def folder_input(path: Path) -> InputFile:
    """Return what stands for a folder: the names and hashes of its transcripts. Raises OSError, ScoringError."""
    files = list(_transcripts(path))
    if not files:
        raise ScoringError(f"{path}: no transcript is in this folder ({', '.join(sorted(READERS))}). Name another one.")
    lines = (
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(path).as_posix()}\n" for file in files
    )
    return InputFile(path, "".join(lines).encode())


def folder_source(folder: InputFile) -> MemorySource:
    """Read every transcript at any depth; an id is the path below the folder without its ending.

    Raises ScoringError where two files of one name hold different texts.
    """
    texts: dict[str, tuple[Path, Text]] = {}
    for path in _transcripts(folder.path):
        name = path.relative_to(folder.path).with_suffix("").as_posix()
        (text,) = READERS[path.suffix.lower()](InputFile(path)).held
        first, other = texts.setdefault(name, (path, text._replace(id=name)))
        if other.text.split() != text.text.split():
            raise ScoringError(f"{path}: its text is another than that of {first.name} beside it. Keep one of them.")
        if len(text.labels) > len(other.labels):  # with times and flags
            texts[name] = path, text._replace(id=name)
    return MemorySource(str(folder.path), [text for _, text in texts.values()], folder)


def _transcripts(folder: Path) -> Iterator[Path]:
    """List the files that hold a transcript each; SegLST, which holds a whole session, is scored by itself."""
    return (
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in READERS and not path.name.lower().endswith(seglst.suffix) and path.is_file()
    )
