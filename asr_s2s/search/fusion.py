"""Shallow fusion: a language model's log probabilities, weighted, beside the recogniser's.

Gulcehre 2015: Gulcehre et al., "On using monolingual corpora in neural machine translation", section 4.1.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from asr_s2s.models import LanguageModel


@dataclass(frozen=True)
class LanguageFusion:
    """A language model over the recogniser's tokens, and what its opinion counts: total += weight x log P(token)."""

    model: LanguageModel
    weight: float

    def advise(self, batch: int, *, start_token: int, device: torch.device) -> "LanguageAdvice":
        """Begin with one empty hypothesis per utterance."""
        newest = torch.full((batch, 1), start_token, device=device)
        return LanguageAdvice(
            self, newest, self.model.start(batch, device=device), torch.zeros(batch, 1, device=device)
        )


@dataclass(frozen=True)
class LanguageAdvice:
    """The language model's opinion of the hypotheses of a batch.

    newest: (batch, beam), the token that the model is to be fed next; state: the model's before it
    totals: (batch, beam), what the hypotheses have been given so far, in nats
    """

    fusion: LanguageFusion
    newest: Tensor
    state: Any
    totals: Tensor

    @cached_property
    def _step(self) -> tuple[Tensor, Any]:
        with torch.autocast(self.newest.device.type, enabled=False):  # it is small: in whole precision
            logits, state = self.fusion.model.step(self.newest, self.state)
        return self.fusion.weight * logits.float().log_softmax(dim=-1), state

    @property
    def gains(self) -> Tensor:
        """Give what each next token would add, (batch, beam, vocabulary)."""
        return self._step[0]

    def advance(self, beams: Tensor, tokens: Tensor) -> "LanguageAdvice":
        """Choose hypotheses (batch, new beam) within each utterance and append one token to each."""
        gains, state = self._step
        rows = torch.arange(len(beams), device=beams.device)[:, None]
        totals = self.totals[rows, beams] + gains[rows, beams, tokens]
        return LanguageAdvice(self.fusion, tokens, self.fusion.model.reorder(state, beams), totals)

    def keep(self, utterances: Tensor) -> "LanguageAdvice":
        """Keep only some utterances of the batch."""
        state = self.fusion.model.keep(self.state, utterances)
        return LanguageAdvice(self.fusion, self.newest[utterances], state, self.totals[utterances])
