"""What the samples of a recording show before anybody listens: rate, peak, loudness, clipping, and what it is equal to.

Nothing is resampled or mixed down before it is measured: both hide clipping. Any length passes through little memory.
"""

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asr_s2s.audio.findings import Findings
from asr_s2s.audio.opening import opened
from asr_s2s.errors import AudioError

FRAME_SECONDS = 0.1  # about a syllable
BINS = 8192  # of the magnitude, from 0 to 1: a few within 3 % of the peak of speech at -40 dB too
NEAR_PEAK = 0.97  # of the peak: where clipping gathers samples, and an undistorted wave has hardly any


@dataclass(frozen=True, slots=True)
class Levels:
    """One piece of a recording, its samples in [-1, 1]; levels in dB below full scale.

    loudest: of its loudest tenth of a second; near_peak: share of its samples that lie within 3 % of the peak
    digest: equal for equal samples, whatever file they lie in
    """

    sample_rate: int
    channels: int
    seconds: float
    peak: float
    loudest: float
    near_peak: float
    digest: str


def measure_levels(path: Path, *, offset: float = 0.0, duration: float | None = None) -> Levels:
    """Read a piece of a file at its own rate and measure it.

    Raises AudioError as read_audio does.
    """
    digest = hashlib.blake2b(digest_size=16)
    magnitudes = np.zeros(BINS + 1, np.int64)
    num_samples, peak, loudest = 0, 0.0, 0.0
    with opened(path, Findings(str(path))) as decoder:
        rate, channels = decoder.sample_rate, decoder.channels
        start = round(offset * rate)
        for block in decoder.blocks(start, None if duration is None else start + round(duration * rate)):
            if not np.isfinite(block).all():
                raise AudioError(f"{path}: holds samples that are NaN or infinite. Export it again, or as 16-bit WAV.")
            digest.update((np.clip(block, -1, 1) * 32767).round().astype("<i2").tobytes())
            size = np.abs(block)
            peak = max(peak, float(size.max(initial=0.0)))
            magnitudes += np.bincount((np.minimum(size, 1) * BINS).astype(np.int64).ravel(), minlength=BINS + 1)
            loudest = max(loudest, _loudest_power(block, frame=max(1, round(FRAME_SECONDS * rate))))
            num_samples += len(block)
    if not num_samples:
        raise AudioError(f"{path}: has no sound from {offset} s on. Give an earlier offset.")
    return Levels(
        sample_rate=rate,
        channels=channels,
        seconds=num_samples / rate,
        peak=decibel(peak**2),
        loudest=decibel(loudest),
        near_peak=float(magnitudes[int(min(peak, 1.0) * NEAR_PEAK * BINS) :].sum() / magnitudes.sum()),
        digest=digest.hexdigest(),
    )


def decibel(power: float) -> float:
    """Return a power in dB of full scale, silence as -120."""
    return 10 * math.log10(max(power, 1e-12))


def _loudest_power(block: NDArray[np.float32], *, frame: int) -> float:
    """Return the mean square of the loudest frame of a block (time, channel)."""
    whole = len(block) // frame
    frames = block[: whole * frame].reshape(whole, -1) if whole else block.reshape(1, -1)
    return float(np.square(frames, dtype=np.float64).mean(axis=1).max(initial=0.0)) if len(block) else 0.0
