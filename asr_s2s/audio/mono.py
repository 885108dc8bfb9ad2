"""From the channels of a recording to one, whatever their phase and the scale of their samples."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from asr_s2s.audio.decoder import SILENCE_PEAK, AudioDecoder
from asr_s2s.audio.findings import Findings

LOUDEST = 16.0  # 24 dB above full scale, which floating-point samples may exceed
ORDINARY = 1.5  # what is not silent and no louder is of the usual scale
SCALES = (2.0**7, 2.0**15, 2.0**23, 2.0**31)
# Power of the mix, times the number of channels, over the channels' mean power: 1 where they have nothing in common.
CANCELLED = 0.1


def mono(
    decoder: AudioDecoder, start: int, stop: int | None, *, channel: int | None, findings: Findings
) -> Iterator[NDArray[np.float32]]:
    """Return the frames from start up to stop as blocks (time,): one channel (counted from 1), or their mean.

    Channels that cancel each other out are not mixed; the louder is taken, and noted, as is another scale of samples.
    NaN and infinite samples are lost.
    """
    scale = _full_scale(decoder) if decoder.is_float else np.float32(1.0)
    if scale != 1.0:
        findings.note(f"has floating-point samples of up to {scale:.0f}; they were divided by that")
    position = start
    for block in decoder.blocks(start, stop):
        chosen = block if channel is None else block[:, channel - 1 : channel]
        if decoder.is_float:
            with np.errstate(invalid="ignore"):  # NaN
                chosen = chosen / scale
            chosen = _numbers(chosen, position, decoder.sample_rate, findings)
        position += len(block)
        if chosen.shape[1] == 1:
            yield chosen[:, 0]
            continue
        mixed = chosen.mean(axis=1, dtype=np.float32)
        powers = np.einsum("tc,tc->c", chosen, chosen) / len(chosen)
        if np.dot(mixed, mixed) / len(mixed) * len(powers) < CANCELLED * powers.mean():
            loudest = int(powers.argmax())
            findings.note(f"has channels of opposite phase; channel {loudest + 1} was taken instead of their mix")
            mixed = chosen[:, loudest]
        yield mixed


def _full_scale(decoder: AudioDecoder) -> np.float32:
    """Find what floating-point samples of a whole recording are to be divided by: 1, if they are as they should be."""
    peak = 0.0
    for block in decoder.blocks(0, None):
        sizes = np.abs(block[np.isfinite(block).all(axis=1)])
        ordinary = float(np.quantile(sizes, 0.99)) if sizes.size else 0.0  # damaged samples may be any number
        if SILENCE_PEAK < ordinary <= ORDINARY:
            return np.float32(1.0)
        peak = max(peak, ordinary if ordinary <= LOUDEST else float(sizes[sizes <= SCALES[-1]].max()))
    return np.float32(1.0 if peak <= LOUDEST else next(scale for scale in SCALES if peak <= scale))


def _numbers(block: NDArray[np.float32], position: int, rate: int, findings: Findings) -> NDArray[np.float32]:
    """Put silence where samples are NaN, infinite or 60 dB above full scale."""
    is_number = np.abs(block) < 1000.0  # False for NaN
    if is_number.all():
        return block
    (frames,) = np.nonzero(~is_number.all(axis=1))
    reason = "holds samples that are NaN or infinite"
    findings.lost((position + int(frames[0])) / rate, (position + int(frames[-1]) + 1) / rate, reason)
    return np.where(is_number, block, np.float32(0.0))
