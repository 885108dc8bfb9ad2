"""WAV, FLAC, Ogg (Vorbis, Opus), AIFF, AU and more, through libsndfile."""

from collections.abc import Iterator
from io import SEEK_SET
from typing import BinaryIO

import numpy as np
import soundfile
from numpy.typing import NDArray

from asr_s2s.audio.completeness import check_log
from asr_s2s.audio.decoder import BLOCK_SECONDS
from asr_s2s.errors import AudioError

UNKNOWN_LENGTH = 2**62  # libsndfile gives 2**63 - 1 frames for a stream whose header leaves the length open
PREROLL_SECONDS = 0.25  # after a jump Opus takes 80 ms to settle (RFC 7845, section 4.6), and some more to be equal


class SoundfileDecoder:
    """A sound file that libsndfile knows; see Decoder.

    Raises soundfile.LibsndfileError for a file that it does not know, AudioError for one cut off.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._file = soundfile.SoundFile(_Content(stream))
        self._name = name
        self.sample_rate: int = self._file.samplerate
        self.channels: int = self._file.channels
        self.num_frames: int = self._file.frames
        check_log(self._file.extra_info, name)

    @property
    def length_known(self) -> bool:
        """Whether the header tells the length; a recorder that was killed leaves it 0 or open."""
        return 0 < self.num_frames < UNKNOWN_LENGTH

    def duration(self) -> float:
        """Give the header's length in seconds."""
        return self.num_frames / self.sample_rate

    def blocks(self, start: int, stop: int | None) -> Iterator[NDArray[np.float32]]:
        """Give the frames from start up to stop; see Decoder."""
        end = self.num_frames if stop is None else min(stop, self.num_frames)
        position = max(0, start - round(PREROLL_SECONDS * self.sample_rate)) if self._file.seekable() else 0
        if start >= end:
            return
        if position:
            self._seek(position)
        while position < end:
            block = self._read(min(round(BLOCK_SECONDS * self.sample_rate), end - position), position)
            if len(block) == 0:
                raise AudioError(
                    f"{self._name}: is cut off: its header promises {self.duration():.2f} s, "
                    f"it holds {position / self.sample_rate:.2f} s. Copy or record it again."
                )
            yield block[max(start - position, 0) :]
            position += len(block)

    def _seek(self, position: int) -> None:
        try:
            self._file.seek(position)
        except soundfile.LibsndfileError as error:
            raise self._damaged(position, error) from error

    def _read(self, count: int, position: int) -> NDArray[np.float32]:
        try:
            block: NDArray[np.float32] = self._file.read(count, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise self._damaged(position, error) from error
        return block

    def _damaged(self, position: int, error: soundfile.LibsndfileError) -> AudioError:
        return AudioError(
            f"{self._name}: is cut off or damaged after {position / self.sample_rate:.2f} s "
            f"({error.error_string.removeprefix('Error : ').strip(' .')}). Copy or record it again."
        )

    def close(self) -> None:
        """Free libsndfile's handle."""
        self._file.close()


class _Content:
    """A stream as libsndfile should see it: nameless, for a name's suffix may overrule the content; with a hard start.

    Damaged files make libsndfile ask for places before the start, and an exception in its callback would be printed.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.read = stream.read
        self.tell = stream.tell

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        """Go to a place, or stay where that lies before the start."""
        try:
            return self._stream.seek(offset, whence)
        except (OSError, ValueError):
            return self._stream.tell()
