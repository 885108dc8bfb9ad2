"""How far a rate could have come out otherwise, had other utterances or other speakers been recorded.

Bisani 2004: Bisani and Ney, "Bootstrap estimates for confidence intervals in ASR performance evaluation", ICASSP 2004.
Utterances with equal counts are drawn together, from a multinomial distribution: the same resamples, and a million
utterances take no longer than the few thousand different counts among them.
"""

import numpy as np
from numpy.typing import NDArray

from asr_s2s.scoring.report import Interval

RESAMPLES = 2000
SEED = 20040517  # the same report twice says the same
COVERED = 0.95


def rate_interval(errors: NDArray[np.integer], lengths: NDArray[np.integer], *, by: str) -> Interval | None:
    """Return the interval of errors.sum() / lengths.sum(); None where there is but one unit, or no word.

    errors, lengths: (unit,) of utterances or of speakers
    """
    if len(errors) < 2 or not lengths.sum():
        return None
    drawn = _resampled(errors, lengths)
    return Interval(*_bounds(_rates(drawn[:, 0], drawn[:, 1])), by=by)


def difference(
    first: NDArray[np.integer], second: NDArray[np.integer], lengths: NDArray[np.integer]
) -> tuple[float, float, float] | None:
    """Return the bounds of the second's rate less the first's, and twice the share of resamples beyond 0.

    None where there is but one unit, or no word.

    first, second: (unit,), the errors of both in utterances or speakers; lengths: (unit,)
    """
    if len(lengths) < 2 or not lengths.sum():
        return None
    drawn = _resampled(first, second, lengths)
    differences = _rates(drawn[:, 1] - drawn[:, 0], drawn[:, 2])
    beyond = min(float((differences <= 0).mean()), float((differences >= 0).mean()))
    return *_bounds(differences), min(1.0, 2 * max(beyond, 1 / len(differences)))


def by_block(blocks: NDArray[np.integer], counts: NDArray[np.integer]) -> NDArray[np.int64]:
    """Sum the counts of each block, such as a speaker: (block,) of (utterance,)."""
    return np.bincount(blocks, weights=counts).astype(np.int64)


def _resampled(*counts: NDArray[np.integer]) -> NDArray[np.int64]:
    """Draw as many units as there are, again and again, and sum their counts: (resample, count) of as many (unit,)."""
    widths = tuple(int(column.max()) + 1 for column in counts)
    places, often = np.unique(np.ravel_multi_index(counts, widths), return_counts=True)
    kinds = np.stack(np.unravel_index(places, widths), axis=1)
    generator = np.random.default_rng(SEED)
    total = int(often.sum())
    rows = max(1, 4_000_000 // len(kinds))  # 32 MB at a time
    parts = [
        generator.multinomial(total, often / total, size=min(rows, RESAMPLES - done)) @ kinds
        for done in range(0, RESAMPLES, rows)
    ]
    return np.concatenate(parts)


def _rates(errors: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.float64]:
    kept = lengths > 0
    rates: NDArray[np.float64] = errors[kept] / lengths[kept]
    return rates


def _bounds(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - COVERED) / 2, (1 + COVERED) / 2])
    return float(low), float(high)
