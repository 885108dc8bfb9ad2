"""MP3, M4A, WebM, the sound of a video, and whatever else FFmpeg knows, through PyAV, placed by its time stamps.

Time stamps count from the start of the container, so that times in a transcript fit a player's clock: sound that sets
in late, or was left out while a microphone was muted, is preceded by silence, and so is sound behind a damaged spot.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from asr_s2s.audio.content import Content
from asr_s2s.audio.decoder import clipped, silence
from asr_s2s.audio.findings import Findings
from asr_s2s.audio.losses import CANNOT_BE_DECODED, CUT_OFF, DAMAGED
from asr_s2s.audio.track import UNREADABLE, Track, refusal
from asr_s2s.errors import AudioError

PREROLL_SECONDS = 1.0  # longer than any decoder takes to settle after a jump
GAP_SECONDS = 0.05  # shorter gaps come from rounded time stamps
LONGEST_GAP_SECONDS = 3600.0  # a broken time stamp must not ask for days of silence
ROUNDING_SECONDS = 0.0015  # Matroska and WebM stamp frames to the millisecond
MERGED_SECONDS = 1.0  # frames last 20 ms; handled one by one they cost more than their decoding
LEAST_DELIVERED, HEADER_BYTES = 0.4, 8192  # of a file's bytes; no more than the rest is spent on indices and headers
LATEST_SECONDS = 1e7  # four months; no recording is longer
MOST_PLANES = 7  # of more channels, each in memory of its own, PyAV does not find the end
SCALES = {"u8": 2.0**7, "s16": 2.0**15, "s32": 2.0**31, "flt": 1.0, "dbl": 1.0}


class PyavDecoder:
    """A sound track of a file that FFmpeg knows; see Decoder.

    track: its number, counted from 1; None takes the best
    shape: rate and channels to give instead of its own
    continuous: let frames follow each other, whatever their time stamps say
    ignore_length: read to the end of the file, whatever its header says
    Raises AudioError for a file that is no medium, has no sound or is cut off before its first sample.
    """

    def __init__(
        self,
        content: Content,
        findings: Findings,
        *,
        track: int | None = None,
        shape: tuple[int, int] | None = None,
        continuous: bool = False,
        ignore_length: bool = False,
    ) -> None:
        self._content, self._findings, self._number = content, findings, track
        self._continuous = continuous
        self._ignore_length = ignore_length
        self._track, self._first, self._frames = self._begin()
        first = self._first
        # The codec's own word of its rate may be half of it, for HE-AAC.
        self.sample_rate, self.channels = shape or (first.sample_rate, first.layout.nb_channels)
        self.num_tracks = self._track.num_tracks
        self.is_float = self._track.is_float
        self._is_used = False  # whether frames were read, so that the track has to be opened anew
        self._resamplers: dict[tuple[str, str, int], av.AudioResampler] = {}

    def _begin(self) -> tuple[Track, av.AudioFrame, Iterator[av.AudioFrame]]:
        """Open the track, and decode its first frame."""
        track = Track(self._content, self._findings.name, self._number, ignore_length=self._ignore_length)
        frames = track.frames()
        first = next(frames, None)
        if first is None:
            if track.is_guess:
                raise AudioError(refusal(self._content, self._findings.name))
            reason = self._content.fault or self._findings.cut or "holds no samples"
            raise AudioError(f"{self._findings.name}: {reason}. Record or export it again.")
        if track.is_named:
            self._findings.note("has no header; its kind is that of its name")
        return track, first, chain([first], frames)

    def stated_duration(self) -> float | None:
        """Return the seconds that the container stores, if it does."""
        return self._track.stored_duration()

    def blocks(self, start: int, stop: int | None) -> Iterator[NDArray[np.float32]]:
        """Return the frames from start up to stop; see Decoder."""
        return _merged(self._placed(start, stop), round(MERGED_SECONDS * self.sample_rate))

    def _placed(self, start: int, stop: int | None) -> Iterator[NDArray[np.float32]]:
        """Return what lies between start and stop of each decoded frame, with silence in the gaps."""
        frames, position = self._enter(start)
        is_all = position == 0
        for frame in frames:
            gap = self._gap(frame, position)
            for block in chain(silence(gap, self.sample_rate, self.channels), self._samples(frame, position + gap)):
                yield from clipped(block, position, start, stop)
                position += len(block)
                if stop is not None and position >= stop:
                    return
        self._finish(position / self.sample_rate)
        read, size = self._track.delivered, self._content.size
        if is_all and read < LEAST_DELIVERED * size - HEADER_BYTES:
            self._findings.note(f"holds sound and pictures in {read} of its {size} bytes; the rest could not be read")

    def _gap(self, frame: av.AudioFrame, position: int) -> int:
        """Return how many samples of silence stand before a frame, and report those that were lost."""
        losses = self._track.losses
        gap = round(losses.seconds * self.sample_rate)
        if not self._continuous:
            gap = self._stamp(frame, default=position + gap) - position
        at, seconds = position / self.sample_rate, gap / self.sample_rate
        if seconds > LONGEST_GAP_SECONDS:
            self._findings.note(f"a time stamp at {at:.2f} s jumps by {seconds:.0f} s; the jump was left out")
        gap = gap if GAP_SECONDS < seconds <= LONGEST_GAP_SECONDS else 0
        loss = losses.reason or (DAMAGED if gap and not self._track.may_pause else None)
        if loss and (gap or position or loss == DAMAGED):  # a broadcast begins with half a packet
            self._findings.lost(at, at + gap / self.sample_rate, loss)
        elif gap and position and not losses.pauses:
            self._findings.pause(at, at + seconds)
        losses.clear()
        return gap

    def _finish(self, ended: float) -> None:
        """Report what is missing at the end."""
        promised, losses = self._track.promised_end(), self._track.losses
        if reason := self._content.fault or self._findings.cut:
            self._findings.lost(ended, promised, reason)
        elif promised is not None:
            self._findings.lost(ended, promised, CUT_OFF)
        elif losses.reason and losses.is_of_sound():
            self._findings.lost(ended, ended + losses.seconds, losses.reason)

    def _enter(self, start: int) -> tuple[Iterator[av.AudioFrame], int]:
        """Return the frames from a point at or before start, and the position of the first."""
        seek_to = start / self.sample_rate - PREROLL_SECONDS
        if seek_to > LATEST_SECONDS:
            return iter(()), start
        was_used, self._is_used = self._is_used, True
        can_seek = seek_to > PREROLL_SECONDS and self._track.seekable
        if not (can_seek and self._track.seek(seek_to)):
            if was_used or can_seek:  # and failed, so that it stands anywhere
                self._track.close()
                self._track, self._first, self._frames = self._begin()
            return self._frames, 0
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
        """Return a frame's position by its time stamp, in samples from the start of the container."""
        time = self._track.time(frame)
        return default if time is None else round(time * self.sample_rate)

    def _samples(self, frame: av.AudioFrame, position: int) -> Iterator[NDArray[np.float32]]:
        """Return a frame's samples (time, channel), scaled to [-1, 1], at the rate and with the channels of all."""
        scale = SCALES.get(frame.format.name.removesuffix("p"))
        is_safe = not frame.format.is_planar or frame.layout.nb_channels <= MOST_PLANES
        if is_safe and scale and (frame.sample_rate, frame.layout.nb_channels) == (self.sample_rate, self.channels):
            yield _scaled(frame, scale)
            return
        kind = frame.format.name, frame.layout.name, frame.sample_rate
        if kind not in self._resamplers:
            layout = self._first.layout if self._first.layout.nb_channels == self.channels else f"{self.channels}c"
            self._resamplers[kind] = av.AudioResampler("flt", layout, self.sample_rate)
        try:
            for resampled in self._resamplers[kind].resample(frame):
                yield _scaled(resampled, 1.0)
        except UNREADABLE:
            length = round(frame.samples / frame.sample_rate * self.sample_rate)
            self._findings.lost(position / self.sample_rate, (position + length) / self.sample_rate, CANNOT_BE_DECODED)
            yield np.zeros((length, self.channels), np.float32)

    def close(self) -> None:
        """Free FFmpeg's handles."""
        self._track.close()


def _scaled(frame: av.AudioFrame, scale: float) -> NDArray[np.float32]:
    array: NDArray[Any] = frame.to_ndarray()
    array = array.T if frame.format.is_planar else array.reshape(-1, frame.layout.nb_channels)
    if array.dtype == np.uint8:
        return (array.astype(np.float32) - 128.0) / np.float32(scale)
    return array.astype(np.float32) if scale == 1.0 else (array / scale).astype(np.float32)


def _merged(blocks: Iterator[NDArray[np.float32]], least: int) -> Iterator[NDArray[np.float32]]:
    """Join short blocks (time, channel) into blocks of at least that length; the last may be shorter."""
    held: list[NDArray[np.float32]] = []
    length = 0
    for block in blocks:
        held.append(block)
        length += len(block)
        if length >= least:
            yield np.concatenate(held)
            held, length = [], 0
    if held:
        yield np.concatenate(held)
