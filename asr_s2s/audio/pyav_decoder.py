"""M4A, WebM, the sound of a video, and whatever else FFmpeg knows, through PyAV, placed by its time stamps.

Time stamps count from the start of the container, so that times in a transcript fit a player's clock: sound that sets
in late, or was left out while a microphone was muted, is preceded by silence.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO

import av
import numpy as np
from numpy.typing import NDArray

from asr_s2s.errors import AudioError

PREROLL_SECONDS = 1.0  # decoders settle within 80 ms (Opus, RFC 7845 section 4.6); key frames lie closer than this
GAP_SECONDS = 0.05  # shorter gaps come from rounded time stamps
LONGEST_GAP_SECONDS = 3600.0  # a broken time stamp must not ask for days of silence
TRUSTED_CONTAINERS = ("mov", "matroska", "asf", "avi")  # their time stamps and durations are stored, not guessed


class PyavDecoder:
    """The best sound track of a file that FFmpeg knows.

    Raises AudioError for a file that is no medium or has no sound.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._name = name
        try:
            # Without protocols, a playlist cannot make us open the files and addresses it names.
            self._container = av.open(stream, mode="r", options={"protocol_whitelist": ""})
        except (av.FFmpegError, ValueError) as error:
            raise AudioError(_refusal(stream, name)) from error
        track = self._container.streams.best("audio")
        if track is None:
            raise AudioError(f"{name}: holds no sound track. Name a file with sound.")
        self._track = track
        self._origin = (self._container.start_time or 0) / av.time_base
        self._end = 0.0
        self._frames = self._decode()
        self._first = next(self._frames, None)
        if self._first is None:
            raise AudioError(f"{name}: holds no samples. Record or export it again.")
        self.sample_rate: int = self._first.sample_rate
        self.channels: int = self._first.layout.nb_channels

    def duration(self) -> float:
        """Give the length in seconds, decoding all of it where the container does not store it."""
        if self._trusted() and self._container.duration and not self._container.streams.video:
            return float(self._container.duration / av.time_base)
        return sum(len(block) for block in self.blocks(0, None)) / self.sample_rate

    def blocks(self, start: int, stop: int | None) -> Iterator[NDArray[np.float32]]:
        """Give the frames from start up to stop; see Decoder."""
        frames, position = self._enter(start)
        for frame in frames:
            gap = self._position(frame, default=position) - position
            if GAP_SECONDS < gap / self.sample_rate < LONGEST_GAP_SECONDS:
                yield from _clipped(np.zeros((gap, self.channels), np.float32), position, start, stop)
                position += gap
            block = self._samples(frame)
            yield from _clipped(block, position, start, stop)
            position += len(block)
            if stop is not None and position >= stop:
                return
        self._check_end()

    def _enter(self, start: int) -> tuple[Iterator[av.AudioFrame], int]:
        """Give the frames from a point at or before start, and the position of the first."""
        assert self._first is not None
        seek_to = start / self.sample_rate - PREROLL_SECONDS
        if seek_to <= PREROLL_SECONDS or not self._trusted() or self._track.time_base is None:
            return _chain(self._first, self._frames), 0
        self._container.seek(int((seek_to + self._origin) / self._track.time_base), stream=self._track)
        frames = self._decode()
        first = next(frames, None)
        if first is None:
            return iter(()), start
        return _chain(first, frames), self._position(first, default=0)

    def _position(self, frame: av.AudioFrame, *, default: int) -> int:
        if frame.pts is None or frame.time_base is None:
            return default
        return round((float(frame.pts * frame.time_base) - self._origin) * self.sample_rate)

    def _decode(self) -> Iterator[av.AudioFrame]:
        heard = False
        for packet in self._container.demux():
            if packet.pts is not None and packet.time_base is not None:
                self._end = max(self._end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
            if packet.stream.index != self._track.index:
                continue
            try:
                for frame in packet.decode():
                    assert isinstance(frame, av.AudioFrame)
                    heard = True
                    yield frame
            except av.FFmpegError as error:
                if heard:  # before the first frame: a broadcast that was joined in the middle
                    raise AudioError(
                        f"{self._name}: is cut off or damaged near {self._end - self._origin:.2f} s. "
                        "Copy or record it again, or save what can be played as WAV."
                    ) from error

    def _samples(self, frame: av.AudioFrame) -> NDArray[np.float32]:
        """Give a frame's samples (time, channel), whole numbers scaled to [-1, 1]."""
        if frame.sample_rate != self.sample_rate:
            raise AudioError(
                f"{self._name}: its sample rate changes from {self.sample_rate} to {frame.sample_rate} Hz on the way. "
                "Save it as WAV with one rate."
            )
        array: NDArray[Any] = frame.to_ndarray()
        channels = frame.layout.nb_channels
        array = array.T if frame.format.is_planar else array.reshape(-1, channels)
        if array.dtype == np.uint8:
            return (array.astype(np.float32) - 128.0) / 128.0
        if np.issubdtype(array.dtype, np.integer):
            return (array / 2.0 ** (8 * array.dtype.itemsize - 1)).astype(np.float32)
        return array.astype(np.float32)

    def _trusted(self) -> bool:
        return self._container.format.name.startswith(TRUSTED_CONTAINERS)

    def _check_end(self) -> None:
        """Compare where the packets end with the duration that the container stores."""
        if not self._trusted() or not self._container.duration:
            return
        promised = self._container.duration / av.time_base
        ended = self._end - self._origin
        # The last picture of a slow video may last seconds, and need not say so.
        tolerance = 0.01 * promised + (2.0 if self._container.streams.video else 0.25)
        if ended < promised - tolerance:
            raise AudioError(
                f"{self._name}: is cut off: it promises {promised:.2f} s and ends after {ended:.2f} s. "
                "Copy or record it again."
            )

    def close(self) -> None:
        """Free FFmpeg's handles."""
        self._container.close()


def _chain(first: av.AudioFrame, rest: Iterator[av.AudioFrame]) -> Iterator[av.AudioFrame]:
    yield first
    yield from rest


def _clipped(block: NDArray[np.float32], position: int, start: int, stop: int | None) -> Iterator[NDArray[np.float32]]:
    """Give the part of a block at position that lies between start and stop, if any."""
    first = max(start - position, 0)
    last = len(block) if stop is None else min(stop - position, len(block))
    if first < last:
        yield block[first:last]


def _refusal(stream: BinaryIO, name: str) -> str:
    stream.seek(0)
    if stream.read(8)[4:] == b"ftyp":
        return f"{name}: is cut off or damaged: an MP4 file without its index (moov). Copy or record it again."
    return f"{name}: is not a sound file in a known format. Name a WAV, FLAC, OGG, MP3, M4A, WebM or video file."
