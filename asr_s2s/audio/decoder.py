"""What a backend gives: the sound of one open file at its own rate, block by block, from any frame on."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

BLOCK_SECONDS = 30.0  # hours of sound pass through memory in pieces of this size


class Decoder(Protocol):
    """One open file; a frame is one sample of every channel."""

    sample_rate: int
    channels: int

    def blocks(self, start: int, stop: int | None) -> Iterator[NDArray[np.float32]]:
        """Give the frames from start up to stop (None: the end, and then check that the file is whole).

        yields: (time, channel), float in [-1, 1]
        Raises AudioError where the file is cut off or damaged.
        """

    def duration(self) -> float:
        """Give the length in seconds, from the header where it can be trusted."""

    def close(self) -> None:
        """Free the backend's handles; the stream stays open."""
