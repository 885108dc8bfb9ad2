"""WAV, FLAC, Ogg (Vorbis, Opus), MP3, AIFF, AU and more, through libsndfile."""

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import soundfile
from numpy.typing import NDArray

from asr_s2s.audio.decoder import BLOCK_SECONDS
from asr_s2s.errors import AudioError

UNKNOWN_LENGTH = 2**62  # libsndfile gives 2**63 - 1 frames for a stream whose header leaves the length open
CODEC_TAIL_SECONDS = 0.1  # a header may count the encoder's padding, up to two MP3 frames


class SoundfileDecoder:
    """A sound file that libsndfile knows; raises soundfile.LibsndfileError or TypeError for any other."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._file = soundfile.SoundFile(stream)
        self._name = name
        self.sample_rate: int = self._file.samplerate
        self.channels: int = self._file.channels
        self.num_frames: int = self._file.frames

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
        if start >= end:
            return
        position = 0
        if self._file.seekable():
            self._file.seek(start)
            position = start
        while position < end:
            block = self._read(min(round(BLOCK_SECONDS * self.sample_rate), end - position), position)
            if len(block) == 0:
                break
            yield block[max(start - position, 0) :]
            position += len(block)
        if position < end - CODEC_TAIL_SECONDS * self.sample_rate:
            raise AudioError(
                f"{self._name}: is cut off: its header promises {self.duration():.2f} s, "
                f"it holds {position / self.sample_rate:.2f} s. Copy or record it again."
            )

    def _read(self, count: int, position: int) -> NDArray[np.float32]:
        try:
            block: NDArray[np.float32] = self._file.read(count, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise AudioError(
                f"{self._name}: is cut off or damaged after {position / self.sample_rate:.2f} s "
                f"({error.error_string.strip(' .')}). Copy or record it again."
            ) from error
        return block

    def close(self) -> None:
        """Free libsndfile's handle."""
        self._file.close()
