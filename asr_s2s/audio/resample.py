"""Changes of sample rate and of speed, both by the SoX resampler (soxr, quality "HQ")."""

from collections.abc import Iterable, Iterator

import numpy as np
import soxr
from numpy.typing import NDArray

SAMPLE_RATE = 16_000  # samples a second; what every front end of this package expects


def resample(samples: NDArray[np.float32], from_rate: float, to_rate: float) -> NDArray[np.float32]:
    """Return the same sound at another rate; its length is that of the input times to_rate / from_rate, rounded.

    samples: (time,)
    returns: (time',)
    """
    return np.concatenate([np.zeros(0, np.float32), *resample_blocks([samples], from_rate, to_rate)])


def resample_blocks(
    blocks: Iterable[NDArray[np.float32]], from_rate: float, to_rate: float
) -> Iterator[NDArray[np.float32]]:
    """Resample a sound that comes block by block (time,); joined, the result equals that of the whole."""
    if from_rate == to_rate:
        yield from blocks
        return
    stream = soxr.ResampleStream(from_rate, to_rate, 1, dtype="float32")
    for block in blocks:
        yield stream.resample_chunk(np.ascontiguousarray(block, dtype=np.float32))
    yield stream.resample_chunk(np.zeros(0, np.float32), last=True)


def change_speed(samples: NDArray[np.float32], factor: float, *, sample_rate: int = SAMPLE_RATE) -> NDArray[np.float32]:
    """Play a sound faster (factor > 1) or slower; pitch and tempo change together, as in `sox speed`.

    samples: (time,)
    returns: (time / factor,)
    """
    return resample(samples, sample_rate * factor, sample_rate)
