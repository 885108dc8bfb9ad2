"""MP3, M4A, WebM, the sound of a video, and whatever else FFmpeg knows, through PyAV, placed by its time stamps.

Time stamps count from the start of the container, so that times in a transcript fit a player's clock: sound that sets
in late, or was left out while a microphone was muted, is preceded by silence.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any, BinaryIO

import av
import numpy as np
from av.stream import Disposition
from numpy.typing import NDArray

from asr_s2s.audio.completeness import mp3_length_stored
from asr_s2s.errors import AudioError

PREROLL_SECONDS = 1.0  # longer than any decoder takes to settle after a jump
GAP_SECONDS = 0.05  # shorter gaps come from rounded time stamps
LONGEST_GAP_SECONDS = 3600.0  # a broken time stamp must not ask for days of silence
ROUNDING_SECONDS = 0.0015  # Matroska and WebM stamp frames to the millisecond
MOST_DAMAGED = 0.01  # of the packets: what MP3 files in a row and broadcasts have at their seams
KNOWN = "Name a WAV, FLAC, OGG, MP3, M4A, WebM or video file."
MERGED_SECONDS = 1.0  # frames last 20 ms; handled one by one they cost more than their decoding


class PyavDecoder:
    """The best sound track of a file that FFmpeg knows; see Decoder.

    Raises AudioError for a file that is no medium, has no sound or is cut off before its first sample.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._name = name
        try:
            # Without protocols, a playlist cannot make us open the files and addresses that it names.
            self._container = av.open(stream, mode="r", options={"protocol_whitelist": ""})
        except (av.FFmpegError, ValueError) as error:
            raise AudioError(_refusal(stream, name)) from error
        track = self._container.streams.best("audio")
        if track is None:
            raise AudioError(f"{name}: holds no sound track. {KNOWN}")
        self._track = track
        self._has_pictures = any(not s.disposition & Disposition.attached_pic for s in self._container.streams.video)
        self._kind = self._container.format.name
        self._seekable = self._kind.startswith(("mov", "matroska", "mp3"))  # those that find the very same sample
        # Other containers guess their length from the bit rate.
        self._length_stored = self._kind.startswith(("mov", "matroska")) or (self._kind == "mp3" and _stored(stream))
        self._origin = (self._container.start_time or 0) / av.time_base
        self._end = 0.0
        self._frames = self._decode()
        first = next(self._frames, None)
        if first is None:
            raise AudioError(f"{name}: holds no samples. Record or export it again.")
        self._first = first
        self.sample_rate: int = first.sample_rate
        self.channels: int = first.layout.nb_channels

    def duration(self) -> float:
        """Give the length in seconds, decoding all of it where the container does not store it."""
        if self._length_stored and self._track.duration and self._track.time_base:
            late = max(0.0, float((self._track.start_time or 0) * self._track.time_base) - self._origin)
            return float(self._track.duration * self._track.time_base) + late
        if self._length_stored and self._container.duration and not self._has_pictures:
            return self._container.duration / av.time_base
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
        self._check_end()

    def _enter(self, start: int) -> tuple[Iterator[av.AudioFrame], int]:
        """Give the frames from a point at or before start, and the position of the first."""
        seek_to = start / self.sample_rate - PREROLL_SECONDS
        if seek_to <= PREROLL_SECONDS or not self._seekable or self._track.time_base is None:
            return chain([self._first], self._frames), 0
        self._container.seek(int((seek_to + self._origin) / self._track.time_base), stream=self._track)
        frames = self._decode()
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
        if frame.pts is None or frame.time_base is None:
            return default
        return round((float(frame.pts * frame.time_base) - self._origin) * self.sample_rate)

    def _decode(self) -> Iterator[av.AudioFrame]:
        """Decode the track from where the container stands; a few damaged packets are passed over, but not the last.

        An MP3 has no packets but looks for its frames itself, and takes what follows the last for one.
        """
        num_packets = num_damaged = 0
        intact, heard = True, False
        for packet in self._packets():
            num_packets += 1
            try:
                decoded = packet.decode()
            except av.FFmpegError:
                intact = False
                num_damaged += heard  # a broadcast that was joined in the middle begins with half a packet
                if num_damaged > 2 + MOST_DAMAGED * num_packets:
                    raise self._damaged() from None
                continue
            intact = intact or packet.size > 0
            for frame in decoded:
                assert isinstance(frame, av.AudioFrame)
                heard = True
                yield frame
        if not intact and self._kind != "mp3":
            raise self._damaged()

    def _packets(self) -> Iterator["av.Packet[Any]"]:
        """Give the track's packets from where the container stands, and note where those of all tracks end."""
        packets = self._container.demux()
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError:
                raise self._damaged() from None
            if packet is None:
                return
            if packet.pts is not None and packet.time_base is not None and _is_timed(packet.stream):
                self._end = max(self._end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
            if packet.stream.index == self._track.index:
                yield packet

    def _damaged(self) -> AudioError:
        return AudioError(
            f"{self._name}: is cut off or damaged near {self._end - self._origin:.2f} s. "
            "Copy or record it again, or save what can be played as WAV."
        )

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

    def _check_end(self) -> None:
        """Compare where the packets end with the length that the container stores."""
        if not self._length_stored or not self._container.duration:
            return
        promised, ended = self._container.duration / av.time_base, self._end - self._origin
        # The last picture of a slow video may last seconds, and need not say so.
        tolerance = 0.01 * promised + (2.0 if self._has_pictures else 0.1)
        if ended < promised - tolerance:
            raise AudioError(
                f"{self._name}: is cut off: it promises {promised:.2f} s and ends after {ended:.2f} s. "
                "Copy or record it again."
            )

    def close(self) -> None:
        """Free FFmpeg's handles."""
        self._container.close()


def _is_timed(stream: Any) -> bool:
    return stream.type in ("audio", "video") and not stream.disposition & Disposition.attached_pic


def _stored(stream: BinaryIO) -> bool:
    """Tell whether an MP3 file states its length, and leave the stream where FFmpeg has it."""
    position = stream.tell()
    stored = mp3_length_stored(stream)
    stream.seek(position)
    return stored


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


def _refusal(stream: BinaryIO, name: str) -> str:
    stream.seek(0)
    if stream.read(8)[4:] in (b"ftyp", b"mdat", b"moov", b"free", b"wide", b"skip"):
        return f"{name}: is cut off or damaged: an MP4 file without its index (moov). Copy or record it again."
    return f"{name}: is not a sound file in a known format. {KNOWN}"
