"""What a user names to transcribe: files, folders of files, standard input; and where each transcript goes."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from asr_s2s.cli.outputs import check_output_folder
from asr_s2s.errors import ConfigError
from asr_s2s.files import is_folder

STANDARD_INPUT = "-"
MIX, EACH = "mix", "each"


@dataclass(frozen=True)
class Input:
    """One recording: the name that messages use, its file (None: standard input), its place in the output folder.

    channel: one channel alone, counted from 1
    """

    name: str
    path: Path | None
    place: Path
    channel: int | None = None

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


def check_channel(channel: str) -> None:
    """Raise ConfigError unless it is 'mix', 'each' or a number from 1 up."""
    if channel not in (MIX, EACH) and not (channel.isdecimal() and int(channel) > 0):
        raise ConfigError(f"--channel {channel}: give 'mix', 'each' or a channel's number, counted from 1.")


def with_channel(inputs: Sequence[Input], channel: str) -> list[Input]:
    """Choose the channels that are transcribed; of each one a transcript of its own.

    A file that cannot be opened stays whole, and fails when it is read.
    """
    if channel == EACH:
        return [found for one in inputs for found in _channels(one)]
    return [replace(one, channel=None if channel == MIX else int(channel)) for one in inputs]


def _channels(one: Input) -> Iterator[Input]:
    from asr_s2s.audio import count_channels
    from asr_s2s.errors import AudioError

    if one.path is None:
        raise ConfigError("--channel each: standard input can be read once only. Name a file.")
    try:
        count = count_channels(one.path)
    except AudioError:
        yield one
        return
    for channel in range(1, count + 1):
        place = one.place.with_name(f"{one.place.name}.channel-{channel}")
        yield replace(one, name=f"{one.name}, channel {channel}", place=place, channel=channel)


def check_targets(inputs: Sequence[Input], folder: Path, suffixes: Sequence[str]) -> None:
    """Raise ConfigError if an input cannot be written to its place, or two would be written to the same one."""
    for parent in dict.fromkeys([folder, *((folder / one.place).parent for one in inputs)]):
        check_output_folder(parent)
    for target in (one.target(folder, suffix) for one in inputs for suffix in suffixes):
        if is_folder(target):
            raise ConfigError(f"{target}: is a folder, and a transcript would go there. Remove it or name another.")
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
    elif is_folder(path):
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
