"""How hypotheses are compared: what a growing one is worth, and a finished one, and what a growing one may become."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FLOOR = -1.0e30  # stands for log 0 where it is multiplied
CUT_HANDICAP = 1.0  # nats per token; loops are probable, so a cut hypothesis must be far better than an ended one


@dataclass(frozen=True, slots=True)
class Ranking:
    """total = (1 - ctc_weight) x attention + ctc_weight x CTC + length_bonus x tokens, log probabilities all.

    Hypotheses in the beam are compared by total; finished ones, whose lengths differ, by total / length **
    length_normalization, where length counts the end token: 1 compares log probabilities per token, as Whisper does,
    0 plain sums, which favour the short.
    """

    ctc_weight: float
    length_bonus: float
    length_normalization: float

    def totals(
        self, attention: NDArray[np.float64], ctc: NDArray[np.float64] | None, *, lengths: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Join log probabilities of one shape; minus infinity from the attention decoder (forbidden) stays so."""
        joint = attention
        if ctc is not None:
            joint = (1 - self.ctc_weight) * np.maximum(attention, FLOOR) + self.ctc_weight * ctc
            joint = np.where(attention == -np.inf, -np.inf, joint)
        return joint + self.length_bonus * lengths if self.length_bonus else joint

    def final(self, total: float, length: int) -> float:
        """Make the total of a hypothesis of some tokens comparable with those of other lengths."""
        scale: float = (length + 1) ** self.length_normalization
        return total / scale

    def best_possible(self, total: float, length: int, *, limit: int, gain: float) -> float:
        """Bound from above the final value of every hypothesis that this one may grow into within the limit.

        No factor adds to a total but the bonus and others' gain, of each token at most so much; dividing a negative
        total by the greatest length shrinks it most.
        """
        total += max(self.length_bonus + gain, 0.0) * (limit - length)
        return self.final(total, limit if total < 0 else length)

    def cut_wins(self, cut: float, length: int, *, ended: float, ended_length: int) -> bool:
        """Return whether a hypothesis cut by the length bound is given though another one ended, from their totals."""
        per_token = (cut - self.length_bonus * length) / (length + 1)
        return per_token > (ended - self.length_bonus * ended_length) / (ended_length + 1) + CUT_HANDICAP
