"""What a user names to transcribe: files, folders of files, standard input; and where each transcript goes."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from asr_s2s.cli.outputs import check_output_folder
from asr_s2s.cli.terminal import say
from asr_s2s.errors import ConfigError, counted, listed
from asr_s2s.files import is_file, is_folder

STANDARD_INPUT = "-"
MIX, EACH = "mix", "each"


@dataclass(frozen=True)
class Input:
    """One recording: the name that messages use, its file (None: standard input), its place in the output folder.

    channel: one channel alone, counted from 1; speaker: who speaks in it; whole: the recording that it belongs to
    """

    name: str
    path: Path | None
    place: Path
    channel: int | None = None
    speaker: str | None = None
    whole: "Input | None" = None

    def target(self, folder: Path, suffix: str) -> Path:
        """Return the file for its transcript."""
        return folder / self.place.with_name(self.place.name + suffix)

    def stream(self) -> BinaryIO | None:
        """Give standard input, if that is what was named."""
        from asr_s2s.audio import rewindable

        return None if self.path else rewindable(sys.stdin.buffer)


def named_inputs(names: Sequence[str], *, quiet: bool = False) -> list[Input]:
    """List what was named; a folder stands for every recording in it, at any depth, and keeps its order in the output.

    quiet: what else is in a folder is not said
    Raises ConfigError for a folder without a recording, or '-' named twice.
    """
    if list(names).count(STANDARD_INPUT) > 1:
        raise ConfigError("'-': standard input can be read once only. Name it once.")
    return [found for name in names for found in _inputs(name, quiet=quiet)]


def check_channel(channel: str) -> None:
    """Raise ConfigError unless it is 'mix', 'each' or a number from 1 up."""
    if channel not in (MIX, EACH) and not (channel.isdecimal() and int(channel) > 0):
        raise ConfigError(f"--channel {channel}: give 'mix', 'each' or a channel's number, counted from 1.")


def with_channel(inputs: Sequence[Input], channel: str, *, names: Sequence[str] = ()) -> list[Input]:
    """Choose the channels that are transcribed; of each one a transcript of its own.

    names: of the speakers in each channel
    A file that cannot be opened stays whole, and fails when it is read. Raises ConfigError for names of other channels.
    """
    if channel == EACH:
        return [found for one in inputs for found in _channels(one, names)]
    return [replace(one, channel=None if channel == MIX else int(channel)) for one in inputs]


def _channels(one: Input, names: Sequence[str]) -> Iterator[Input]:
    from asr_s2s.audio import count_channels
    from asr_s2s.errors import AudioError

    if one.path is None or one.path.is_fifo():
        raise ConfigError(f"{one.name}: can be read once only, and not channel by channel. Name a file.")
    try:
        count = count_channels(one.path)
    except AudioError:
        yield one
        return
    if names and len(names) != count:
        raise ConfigError(f"{one.name}: has {counted(count, 'channel')}, and --channel-names has {len(names)}.")
    for channel in range(1, count + 1):
        place = one.place.with_name(f"{one.place.name}.channel-{channel}")
        speaker = names[channel - 1] if names else f"channel {channel}"
        name = f"{one.name}, channel {channel}"
        yield replace(one, name=name, place=place, channel=channel, speaker=speaker, whole=one)


def check_targets(inputs: Sequence[Input], folder: Path, suffixes: Sequence[str]) -> None:
    """Raise ConfigError if an input cannot be written to its place, or two would be written to the same one."""
    for parent in dict.fromkeys([folder, *((folder / one.place).parent for one in inputs)]):
        check_output_folder(parent)
    for target in (one.target(folder, suffix) for one in inputs for suffix in suffixes):
        if target.exists() and not is_file(target):
            raise ConfigError(
                f"{target}: is a folder or a device, and a transcript would go there. Remove it or name another."
            )
    taken: dict[Path, str] = {}
    for one in inputs:
        first = taken.setdefault(one.place, one.name)
        if first != one.name:
            raise ConfigError(
                f"{first} and {one.name} would both be written as {one.place} in {folder}. "
                "Rename one, or use two output folders."
            )


def _inputs(name: str, *, quiet: bool) -> Iterator[Input]:
    path = Path(name)
    if name == STANDARD_INPUT:
        yield Input("standard input", None, Path("stdin"))
    elif is_folder(path):
        from asr_s2s.audio import find_recordings

        found = find_recordings(path)
        if found.others and not quiet:
            others = [str(other.relative_to(path)) for other in found.others]
            count = "1 file" if len(others) == 1 else f"{len(others)} files"
            say(f"{name}: {count} left out, hidden or without sound: {listed(others)}")
        if not found.recordings:
            raise ConfigError(f"{name}: holds no recording. Name another folder.")
        for file in found.recordings:
            place = Path(path.name) if file == path else file.relative_to(path)  # a folder that cannot be opened
            yield Input(str(file), file, place.with_suffix(""))
    else:
        yield Input(name, path, Path(path.stem))
