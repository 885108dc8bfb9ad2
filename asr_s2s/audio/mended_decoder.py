"""What libsndfile reads, and from where it stops what FFmpeg still can."""

from collections.abc import Iterator
from contextlib import closing

import numpy as np
from numpy.typing import NDArray

from asr_s2s.audio.content import Content
from asr_s2s.audio.findings import Findings
from asr_s2s.audio.soundfile_decoder import SoundfileDecoder
from asr_s2s.errors import AudioError


class MendedDecoder:
    """A sound file that libsndfile knows, which may be damaged; see Decoder.

    is_whole: the file's own parts show that nothing is missing, whatever number of frames its header gives
    """

    num_tracks = 1

    def __init__(self, first: SoundfileDecoder, content: Content, findings: Findings, *, is_whole: bool) -> None:
        self._first, self._content, self._findings, self._is_whole = first, content, findings, is_whole
        self.sample_rate, self.channels, self.is_float = first.sample_rate, first.channels, first.is_float

    def stated_duration(self) -> float:
        """Return the seconds that the header states."""
        return self._first.stated_duration()

    def blocks(self, start: int, stop: int | None) -> Iterator[NDArray[np.float32]]:
        """Return the frames from start up to stop; see Decoder."""
        position, num_damaged = start, len(self._findings.damage)
        for block in self._first.blocks(start, stop):
            yield block
            position += len(block)
        promised = self._first.num_frames
        if position < promised or self._first.is_flac:  # whose header may count too few
            for block in self._rest(position, stop):
                yield block
                position += len(block)
        if stop is not None and position >= stop:
            return
        at, end = position / self.sample_rate, promised / self.sample_rate
        if position > promised and self._first.is_flac:
            self._findings.note(f"its header promises {end:.2f} s, it holds {at:.2f} s; all of it was read")
        elif len(self._findings.damage) > num_damaged:
            return  # the rest has been reported
        elif reason := self._content.fault or self._findings.cut:
            missing = at * self._findings.missing_bytes / self._content.size  # most of what it reads is not compressed
            self._findings.lost(at, at + missing if missing else None, reason)
        elif start <= position < promised and (self._first.has_failed or not self._is_whole):
            self._findings.lost(at, end, f"is cut off or damaged: its header promises {end:.2f} s")

    def _rest(self, position: int, stop: int | None) -> Iterator[NDArray[np.float32]]:
        """Return what FFmpeg decodes from a position on, if it knows the file."""
        if stop is not None and position >= stop:
            return
        from asr_s2s.audio.pyav_decoder import PyavDecoder  # noqa: PLC0415 - most recordings do not need FFmpeg

        self._content.fault = None
        try:
            second = PyavDecoder(self._content, self._findings, shape=(self.sample_rate, self.channels))
        except AudioError:
            return
        with closing(second):
            yield from second.blocks(position, stop)

    def close(self) -> None:
        """Free libsndfile's handle."""
        self._first.close()
