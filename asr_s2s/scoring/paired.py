"""Is one system better than another on the same utterances, or was it chance? A paired bootstrap.

Bisani 2004: Bisani and Ney, "Bootstrap estimates for confidence intervals in ASR performance evaluation", ICASSP 2004.
"""

import numpy as np
from numpy.typing import ArrayLike

RESAMPLES = 2000
SEED = 20040517  # the same comparison twice says the same


def paired_difference(first: ArrayLike, second: ArrayLike, lengths: ArrayLike) -> tuple[float, float, float] | None:
    """Give the bounds (95 %) of the second's error rate less the first's, and the two-sided probability of chance.

    None where there is but one utterance, or no word.

    first, second: (utterance,), the errors of both; lengths: (utterance,), words in the references
    """
    differences, words = np.asarray(second) - np.asarray(first), np.asarray(lengths)
    if len(words) < 2 or not words.sum():
        return None
    generator = np.random.default_rng(SEED)
    drawn = generator.integers(len(words), size=(RESAMPLES, len(words)))
    rates = differences[drawn].sum(axis=1) / np.maximum(words[drawn].sum(axis=1), 1)
    low, high = np.quantile(rates, [0.025, 0.975])
    beyond = min(float((rates <= 0).mean()), float((rates >= 0).mean()))
    return float(low), float(high), min(1.0, 2 * max(beyond, 1 / RESAMPLES))
