"""What a beam search has found for each utterance so far."""

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from asr_s2s.search.growing import Growing
from asr_s2s.search.hypothesis import Hypothesis


@dataclass(slots=True)
class Outcome:
    """One utterance's finished hypotheses: how many, and the best with its value in the final ranking.

    slots: which place in the beam the best hypothesis had at each token, to find its attention
    is_empty: the end was its best first token
    settled: nothing that still grows counts any more
    """

    limit: int
    count: int = 0
    value: float = -torch.inf
    best: Hypothesis | None = None
    slots: list[int] = field(default_factory=list)
    is_empty: bool = False
    settled: bool = False

    def note(
        self, growing: Growing, row: int, slot: int, *, total: float, value: float, end_log_prob: float | None
    ) -> None:
        """Take the hypothesis at (row, slot) of the growing ones as the best; end_log_prob None: it was cut."""
        paths = growing.paths
        self.value = value
        self.slots = paths.slots[row, slot].tolist()
        self.best = Hypothesis(
            tokens=tuple(paths.tokens[row, slot].tolist()),
            score=total,
            token_log_probs=tuple(paths.log_probs[row, slot].tolist()),
            ended=end_log_prob is not None,
            end_log_prob=end_log_prob,
            ctc_score=None if growing.ctc is None else float(growing.ctc.whole()[row, slot]),
        )


@dataclass(slots=True)
class AttentionLog:
    """Every step's attention (batch, beam, time') with the utterances it was of; reordering nothing until the end."""

    steps: list[tuple[dict[int, int], Tensor]] = field(default_factory=list)

    def note(self, utterances: list[int], attention: Tensor) -> None:
        """Keep one step's attention, whose rows belong to these utterances."""
        self.steps.append(({utterance: row for row, utterance in enumerate(utterances)}, attention))

    def attach(self, hypothesis: Hypothesis, utterance: int, slots: list[int], *, frames: int) -> Hypothesis:
        """Give the hypothesis with its attention (token, frames) gathered; unchanged where the decoder has none."""
        if not self.steps:
            return hypothesis
        # the step after a hypothesis's last token scored its end, and has no row
        rows = [attention[row[utterance], slot] for (row, attention), slot in zip(self.steps, slots, strict=False)]
        first = self.steps[0][1]
        attention = torch.stack(rows) if rows else first.new_zeros(0, first.shape[-1])
        return replace(hypothesis, attention=attention[:, :frames])
