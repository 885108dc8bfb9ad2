"""What a user names to transcribe: files, folders of files, standard input; and where each transcript goes."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from asr_s2s.errors import ConfigError

STANDARD_INPUT = "-"


@dataclass(frozen=True)
class Input:
    """One recording: the name that messages use, its file (None: standard input), its place in the output folder."""

    name: str
    path: Path | None
    place: Path

    def target(self, folder: Path, suffix: str) -> Path:
        """Give the file for its transcript."""
        return folder / self.place.with_name(self.place.name + suffix)

    def data(self) -> bytes | None:
        """Read standard input, if that is what was named."""
        return None if self.path else sys.stdin.buffer.read()


def named_inputs(names: Sequence[str]) -> list[Input]:
    """List what was named; a folder stands for every audio file in it, at any depth, and keeps its order in the output.

    Raises ConfigError for a folder without audio.
    """
    return [found for name in names for found in _inputs(name)]


def check_targets(inputs: Sequence[Input], folder: Path) -> None:
    """Raise ConfigError if two inputs would be written to the same file."""
    taken: dict[Path, str] = {}
    for one in inputs:
        first = taken.setdefault(one.place, one.name)
        if first != one.name:
            raise ConfigError(
                f"{first} and {one.name} would both be written as {one.place} in {folder}. "
                "Rename one, or use two output folders."
            )


def _inputs(name: str) -> Iterator[Input]:
    path = Path(name)
    if name == STANDARD_INPUT:
        yield Input("standard input", None, Path("stdin"))
    elif path.is_dir():
        from asr_s2s.audio import AUDIO_SUFFIXES

        files = sorted(
            file
            for file in path.rglob("*")
            if file.suffix.lower() in AUDIO_SUFFIXES and file.is_file() and not file.name.startswith(".")
        )
        if not files:
            raise ConfigError(f"{name}: holds no audio file ({' '.join(AUDIO_SUFFIXES)}). Name another folder.")
        for file in files:
            yield Input(str(file), file, file.relative_to(path).with_suffix(""))
    else:
        yield Input(name, path, Path(path.stem))
