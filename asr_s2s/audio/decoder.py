"""What a backend gives: the sound of one open file at its own rate, block by block, from any frame on."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

BLOCK_SECONDS = 30.0  # hours of sound pass through memory in pieces of this size
SILENCE_PEAK = 1e-4  # -80 dB below full scale: under the last bits of 16-bit recordings, far under quiet real speech
BLOCK_SAMPLES = 1 << 22  # of all channels together: 16 MB


class AudioDecoder(Protocol):
    """One open file; a frame is one sample of every channel.

    num_tracks: how many sounds it holds beside each other
    is_float: its samples may have any scale
    """

    sample_rate: int
    channels: int
    num_tracks: int
    is_float: bool

    def blocks(self, start: int, stop: int | None) -> Iterator[NDArray[np.float32]]:
        """Return the frames from start up to stop (None: the end), with silence where frames are lost.

        What is lost goes to the findings that the decoder was opened with; to know that the file is whole it has to be
        read to its end.
        yields: (time, channel), float in [-1, 1]
        """

    def stated_duration(self) -> float | None:
        """Return the seconds that the header states; None where it states nothing that can be trusted."""

    def close(self) -> None:
        """Free the backend's handles; the stream stays open."""


def frames_at_once(sample_rate: int, channels: int) -> int:
    """Return how many frames a block has at most."""
    return max(1, min(round(BLOCK_SECONDS * sample_rate), BLOCK_SAMPLES // channels))


def silence(frames: int, sample_rate: int, channels: int) -> Iterator[NDArray[np.float32]]:
    """Give frames of silence in blocks, however many there are."""
    step = frames_at_once(sample_rate, channels)
    for start in range(0, frames, step):
        yield np.zeros((min(step, frames - start), channels), np.float32)


def clipped(block: NDArray[np.float32], position: int, start: int, stop: int | None) -> Iterator[NDArray[np.float32]]:
    """Return the part of a block at position that lies between start and stop, if any."""
    first = max(start - position, 0)
    last = len(block) if stop is None else min(stop - position, len(block))
    if first < last:
        yield block[first:last]
