"""Is one system better than another, or was it chance? Tests on what both made of the same references.

Gillick 1989: Gillick and Cox, "Some statistical issues in the comparison of speech recognition algorithms", ICASSP 1989
(McNemar's test and the matched-pairs test on segments, MAPSSWE).
Pallett 1990: Pallett, Fisher and Fiscus, "Tools for the analysis of benchmark speech recognition tests", ICASSP 1990:
a segment ends where both systems have at least two words right.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from asr_s2s.scoring.sclite_costs import Edit

LEAST_GOOD = 2  # words that both have right, one after the other, between two segments


class MatchedSegments:
    """Sums of the differences between two systems' errors, segment by segment."""

    def __init__(self) -> None:
        self.count = 0
        self._sum = self._squares = 0

    def add(self, first: Sequence[Edit], second: Sequence[Edit]) -> None:
        """Cut one utterance into segments and count them; the edits are those of both systems."""
        if not first and not second:
            return
        places = _places(first, 0) + _places(second, 1)
        places.sort()
        difference, until = 0, None
        for start, end, system in places:
            if until is not None and start - until >= LEAST_GOOD:
                self._close(difference)
                difference = 0
            difference += 1 if system == 0 else -1
            until = end if until is None else max(until, end)
        self._close(difference)

    def _close(self, difference: int) -> None:
        self.count += 1
        self._sum += difference
        self._squares += difference * difference

    @property
    def p(self) -> float:
        """Return the two-sided probability of a mean difference as large by chance (normal approximation)."""
        if self.count < 2 or not self._sum:
            return 1.0
        mean = self._sum / self.count
        variance = (self._squares - self.count * mean * mean) / (self.count - 1)
        return math.erfc(abs(mean) / math.sqrt(2 * variance / self.count)) if variance > 0 else 0.0


def _places(edits: Sequence[Edit], system: int) -> list[tuple[int, int, int]]:
    """Return the stretch of the reference that each error touches, empty for an insertion."""
    return [(place, place + (tag != "insert"), system) for tag, place, _ in edits]


def sign_test(first: NDArray[np.integer], second: NDArray[np.integer]) -> float:
    """Test whether one of two systems has fewer errors in more utterances; ties do not count.

    first, second: (utterance,)
    """
    return binomial_test(int((first < second).sum()), int((first > second).sum()))


def mcnemar(first: NDArray[np.integer], second: NDArray[np.integer]) -> float:
    """Test whether one of two systems has more utterances without error (Gillick 1989, section 2).

    first, second: (utterance,)
    """
    return sign_test((first > 0).astype(int), (second > 0).astype(int))


def binomial_test(wins: int, losses: int) -> float:
    """Return the two-sided probability that a fair coin falls as unevenly."""
    count, least = wins + losses, min(wins, losses)
    if wins == losses:
        return 1.0
    log_all = math.lgamma(count + 1) - count * math.log(2)
    tail = sum(math.exp(log_all - math.lgamma(k + 1) - math.lgamma(count - k + 1)) for k in range(least + 1))
    return min(1.0, 2 * tail)
