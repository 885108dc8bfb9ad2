"""WAV, FLAC, Ogg (Vorbis, Opus), AIFF, AU and more, through libsndfile."""

from collections.abc import Iterator

import numpy as np
import soundfile
from numpy.typing import NDArray

from asr_s2s.audio.content import Content
from asr_s2s.audio.decoder import frames_at_once

UNKNOWN_LENGTH = 2**62  # libsndfile gives 2**63 - 1 frames for a stream whose header leaves the length open
PREROLL_SECONDS = 0.25  # after a jump Opus takes 80 ms to settle (RFC 7845, section 4.6), and some more to be equal


class SoundfileDecoder:
    """A sound file that libsndfile knows; see Decoder. Where libsndfile cannot read on the blocks end early.

    has_failed: libsndfile met something that it cannot decode
    Raises soundfile.LibsndfileError for a file that it does not know.
    """

    num_tracks = 1

    def __init__(self, content: Content) -> None:
        self._file = soundfile.SoundFile(content)
        self.sample_rate: int = self._file.samplerate
        self.channels: int = self._file.channels
        self.num_frames: int = self._file.frames
        self.is_float = self._file.subtype in ("FLOAT", "DOUBLE")
        self.is_flac = self._file.format == "FLAC"
        self.has_failed = False

    @property
    def length_known(self) -> bool:
        """Whether the header tells the length; a recorder that was killed leaves it 0 or open."""
        return 0 < self.num_frames < UNKNOWN_LENGTH

    def stated_duration(self) -> float:
        """Return the seconds that the header states."""
        return self.num_frames / self.sample_rate

    def blocks(self, start: int, stop: int | None) -> Iterator[NDArray[np.float32]]:
        """Return the frames from start up to stop, or to where libsndfile fails; see Decoder."""
        end = self.num_frames if stop is None else min(stop, self.num_frames)
        position = max(0, start - round(PREROLL_SECONDS * self.sample_rate)) if self._file.seekable() else 0
        if start >= end:
            return
        try:
            if self._file.seekable():
                self._file.seek(position)
            while position < end:
                count = min(frames_at_once(self.sample_rate, self.channels), end - position)
                block: NDArray[np.float32] = self._file.read(count, dtype="float32", always_2d=True)
                if len(block) == 0:
                    return
                yield block[max(start - position, 0) :]
                position += len(block)
        except soundfile.LibsndfileError:
            self.has_failed = True

    def close(self) -> None:
        """Free libsndfile's handle."""
        self._file.close()
