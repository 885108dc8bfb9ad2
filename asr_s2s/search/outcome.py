"""What a beam search has found for an utterance so far."""

from dataclasses import dataclass

import numpy as np

from asr_s2s.search.growing import Growing
from asr_s2s.search.hypothesis import Hypothesis


@dataclass(slots=True)
class Outcome:
    """One utterance's finished hypotheses: how many, and the best with its value in the final ranking.

    is_empty: the end was its best first token
    settled: nothing that still grows counts any more
    """

    limit: int
    count: int = 0
    value: float = -np.inf
    best: Hypothesis | None = None
    is_empty: bool = False
    settled: bool = False

    def note(
        self, growing: Growing, row: int, slot: int, *, total: float, value: float, end_log_prob: float | None
    ) -> None:
        """Take the hypothesis at (row, slot) of the growing ones as the best; end_log_prob None: it was cut."""
        self.value = value
        self.best = Hypothesis(
            tokens=tuple(growing.tokens[row, slot].tolist()),
            score=total,
            token_log_probs=tuple(growing.log_probs[row, slot].tolist()),
            ended=end_log_prob is not None,
            end_log_prob=end_log_prob,
            ctc_score=None if growing.ctc is None else float(growing.ctc.whole()[row, slot]),
        )
