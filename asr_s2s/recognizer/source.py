"""What a recogniser is given: a file, standard input or samples, brought to 16 kHz block by block."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from asr_s2s.audio import SAMPLE_RATE, SILENCE_PEAK, Findings, read_blocks, resample_blocks
from asr_s2s.errors import AudioError

LOWEST_PEAK = 1e-6  # -120 dB: nothing is learned from lower figures


@dataclass(frozen=True)
class AudioSource:
    """One recording to transcribe, or a piece of one: the first of `samples`, `stream`, `data`, `path` that is there.

    channel: the number of one channel of a file, counted from 1; None mixes them
    track: the number of a sound track of a file, counted from 1; None takes the best that is not silent
    strict: a damaged file is refused whole, not read as far as it goes
    may_be_silent: silence is no fault, as it is in one channel of several; its transcript is empty
    language: what is spoken, as a manifest's line says it
    fault: why what was given is no recording, which reading it says
    """

    name: str
    path: Path | None = None
    data: bytes | None = None
    stream: BinaryIO | None = None
    samples: NDArray[np.float32] | None = None
    sample_rate: float = SAMPLE_RATE
    offset: float = 0.0
    duration: float | None = None
    channel: int | None = None
    track: int | None = None
    strict: bool = False
    may_be_silent: bool = False
    language: str | None = None
    fault: str | None = None

    def blocks(self, findings: Findings | None = None) -> Iterator[NDArray[np.float32]]:
        """Return the samples (time,) at 16 kHz, block by block. Raises AudioError if none, or silence alone."""
        peak = 0.0
        findings = findings or Findings(self.name, strict=self.strict)
        for block in self._blocks(findings):
            peak = max(peak, float(np.abs(block).max(initial=0.0)))
            yield block
        if peak < SILENCE_PEAK:
            level = f"its peak is {20 * np.log10(max(peak, LOWEST_PEAK)):.0f} dB" if peak else "every sample is zero"
            if not self.may_be_silent:
                raise AudioError(f"{self.name}: holds only silence ({level}). Check the recording or the channel.")
            findings.note(f"holds only silence ({level})")

    def portable(self) -> Self:
        """Give it as another process can take it: with all bytes of a stream."""
        if self.stream is None:
            return self
        if self.stream.seekable():
            self.stream.seek(0)
        return replace(self, data=self.stream.read(), stream=None)

    def _blocks(self, findings: Findings) -> Iterator[NDArray[np.float32]]:
        if self.fault is not None:
            raise AudioError(self.fault)
        if self.samples is not None:
            findings.stated_duration = len(self.samples) / self.sample_rate
            return resample_blocks([self.samples], self.sample_rate, SAMPLE_RATE)
        file = self.stream or (self.path if self.data is None else BytesIO(self.data))
        assert file is not None, "a source has a path, a stream, bytes or samples"
        return read_blocks(
            file,
            offset=self.offset,
            duration=self.duration,
            channel=self.channel,
            track=self.track,
            findings=findings,
        )
