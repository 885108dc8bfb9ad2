"""MP3, M4A, WebM, the sound of a video, and whatever else FFmpeg knows, through PyAV, placed by its time stamps.

Time stamps count from the start of the container, so that times in a transcript fit a player's clock: sound that sets
in late, or was left out while a microphone was muted, is preceded by silence.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any, BinaryIO

import av
import numpy as np
from numpy.typing import NDArray

from asr_s2s.audio.track import Track
from asr_s2s.errors import AudioError

PREROLL_SECONDS = 1.0  # longer than any decoder takes to settle after a jump
GAP_SECONDS = 0.05  # shorter gaps come from rounded time stamps
LONGEST_GAP_SECONDS = 3600.0  # a broken time stamp must not ask for days of silence
ROUNDING_SECONDS = 0.0015  # Matroska and WebM stamp frames to the millisecond
MERGED_SECONDS = 1.0  # frames last 20 ms; handled one by one they cost more than their decoding


class PyavDecoder:
    """The best sound track of a file that FFmpeg knows; see Decoder.

    Raises AudioError for a file that is no medium, has no sound or is cut off before its first sample.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._name = name
        self._track = Track(stream, name)
        self._frames = self._track.frames()
        first = next(self._frames, None)
        if first is None:
            raise AudioError(f"{name}: holds no samples. Record or export it again.")
        self._first = first
        self.sample_rate: int = first.sample_rate  # the codec's own word may be half of it, for HE-AAC
        self.channels: int = first.layout.nb_channels

    def duration(self) -> float:
        """Give the length in seconds, decoding all of it where the container does not store it."""
        stored = self._track.stored_duration()
        if stored is not None:
            return stored
        return sum(len(block) for block in self.blocks(0, None)) / self.sample_rate

    def blocks(self, start: int, stop: int | None) -> Iterator[NDArray[np.float32]]:
        """Give the frames from start up to stop; see Decoder."""
        return _merged(self._placed(start, stop), round(MERGED_SECONDS * self.sample_rate))

    def _placed(self, start: int, stop: int | None) -> Iterator[NDArray[np.float32]]:
        """Give what lies between start and stop of each decoded frame, with silence in the gaps."""
        frames, position = self._enter(start)
        for frame in frames:
            gap = self._stamp(frame, default=position) - position
            if GAP_SECONDS < gap / self.sample_rate < LONGEST_GAP_SECONDS:
                yield from _clipped(np.zeros((gap, self.channels), np.float32), position, start, stop)
                position += gap
            block = self._samples(frame)
            yield from _clipped(block, position, start, stop)
            position += len(block)
            if stop is not None and position >= stop:
                return

    def _enter(self, start: int) -> tuple[Iterator[av.AudioFrame], int]:
        """Give the frames from a point at or before start, and the position of the first."""
        seek_to = start / self.sample_rate - PREROLL_SECONDS
        if seek_to <= PREROLL_SECONDS or not self._track.seekable:
            return chain([self._first], self._frames), 0
        self._track.seek(seek_to)
        frames = self._track.frames()
        first = next(frames, None)
        if first is None:
            return iter(()), start
        return chain([first], frames), self._exact(self._stamp(first, default=0), first.samples)

    def _exact(self, stamp: int, frame_size: int) -> int:
        """Undo a time stamp's rounding: frames of one size lie on a grid that begins after the first frame."""
        anchor = self._stamp(self._first, default=0)
        anchor = self._first.samples + (anchor if anchor > GAP_SECONDS * self.sample_rate else 0)
        on_grid = anchor + round((stamp - anchor) / frame_size) * frame_size
        return on_grid if abs(on_grid - stamp) <= ROUNDING_SECONDS * self.sample_rate else stamp

    def _stamp(self, frame: av.AudioFrame, *, default: int) -> int:
        """Give a frame's position by its time stamp, in samples from the start of the container."""
        time = self._track.time(frame)
        return default if time is None else round(time * self.sample_rate)

    def _samples(self, frame: av.AudioFrame) -> NDArray[np.float32]:
        """Give a frame's samples (time, channel), whole numbers scaled to [-1, 1]."""
        if frame.sample_rate != self.sample_rate or frame.layout.nb_channels != self.channels:
            raise AudioError(
                f"{self._name}: changes on the way from {self.sample_rate} Hz and {self.channels} channels to "
                f"{frame.sample_rate} Hz and {frame.layout.nb_channels}. Save it as WAV."
            )
        array: NDArray[Any] = frame.to_ndarray()
        array = array.T if frame.format.is_planar else array.reshape(-1, self.channels)
        if array.dtype == np.uint8:
            return (array.astype(np.float32) - 128.0) / 128.0
        if np.issubdtype(array.dtype, np.integer):
            return (array / 2.0 ** (8 * array.dtype.itemsize - 1)).astype(np.float32)
        return array.astype(np.float32)

    def close(self) -> None:
        """Free FFmpeg's handles."""
        self._track.close()


def _clipped(block: NDArray[np.float32], position: int, start: int, stop: int | None) -> Iterator[NDArray[np.float32]]:
    """Give the part of a block at position that lies between start and stop, if any."""
    first = max(start - position, 0)
    last = len(block) if stop is None else min(stop - position, len(block))
    if first < last:
        yield block[first:last]


def _merged(blocks: Iterator[NDArray[np.float32]], least: int) -> Iterator[NDArray[np.float32]]:
    """Join short blocks (time, channel) into blocks of at least that length; the last may be shorter."""
    held: list[NDArray[np.float32]] = []
    for block in blocks:
        held.append(block)
        if sum(map(len, held)) >= least:
            yield np.concatenate(held)
            held = []
    if held:
        yield np.concatenate(held)
