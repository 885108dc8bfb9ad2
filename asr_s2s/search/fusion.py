"""Shallow fusion: a language model's log probabilities, weighted, beside the recogniser's.

Gulcehre 2015: Gulcehre et al., "On using monolingual corpora in neural machine translation", section 4.1.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from asr_s2s.engine.protocol import LanguageEngine, LogProbs, Tokens


@dataclass(frozen=True)
class LanguageFusion:
    """A language model over the recogniser's tokens, and what its opinion counts: total += weight x log P(token)."""

    engine: LanguageEngine[Any]
    weight: float
    most_gain = 0.0  # of a log probability

    def start(self, batch: int, *, start_token: int) -> "LanguageFusionState":
        """Begin with one empty hypothesis per utterance."""
        totals = np.zeros((batch, 1), np.float32)
        return LanguageFusionState(self, np.full((batch, 1), start_token), self.engine.start(batch), totals)


@dataclass(frozen=True)
class LanguageFusionState:
    """The language model's opinion of the hypotheses of a batch.

    newest: (batch, beam), the token that the model is to be fed next; state: the model's before it
    totals: (batch, beam), what the hypotheses have been given so far, in nats
    """

    fusion: LanguageFusion
    newest: Tokens
    state: Any
    totals: LogProbs

    @cached_property
    def _step(self) -> tuple[LogProbs, Any]:
        scores, state = self.fusion.engine.step(self.newest, self.state)
        size = self.fusion.engine.vocabulary_size
        every = np.broadcast_to(np.arange(size), (*self.newest.shape, size))
        return np.float32(self.fusion.weight) * scores.at(every), state

    @property
    def gains(self) -> LogProbs:
        """Return what each next token would add, (batch, beam, vocabulary)."""
        return self._step[0]

    def advance(self, beams: Tokens, tokens: Tokens) -> "LanguageFusionState":
        """Choose hypotheses (batch, new beam) within each utterance and append one token to each."""
        gains, state = self._step
        rows = np.arange(len(beams))[:, None]
        totals = self.totals[rows, beams] + gains[rows, beams, tokens]
        return LanguageFusionState(self.fusion, tokens, self.fusion.engine.reorder(state, beams), totals)

    def keep(self, utterances: Tokens) -> "LanguageFusionState":
        """Keep only some utterances of the batch."""
        state = self.fusion.engine.keep(self.state, utterances)
        return LanguageFusionState(self.fusion, self.newest[utterances], state, self.totals[utterances])
