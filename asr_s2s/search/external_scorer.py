"""Scores that are added to the model's own: of expected hot words, of a language model."""

from typing import Protocol, Self

from asr_s2s.engine.protocol import LogProbs, Tokens


class ScorerState(Protocol):
    """One scorer's state for the hypotheses of a batch; a value: every method returns a new one."""

    @property
    def totals(self) -> LogProbs:
        """Return what the hypotheses have gained so far, (batch, beam), in nats."""
        ...

    @property
    def gains(self) -> LogProbs:
        """Return what each next token would add, (batch, beam, vocabulary), in nats."""
        ...

    def advance(self, beams: Tokens, tokens: Tokens) -> Self:
        """Choose hypotheses (batch, new beam) within each utterance and append one token to each."""
        ...

    def keep(self, utterances: Tokens) -> Self:
        """Keep only some utterances of the batch."""
        ...


class ExternalScorer(Protocol):
    """Scores the hypotheses of any number of searches."""

    @property
    def most_gain(self) -> float:
        """Return the most that one token may add to a hypothesis, in nats."""
        ...

    def start(self, batch: int, *, start_token: int) -> ScorerState:
        """Begin with one empty hypothesis per utterance, after the last start token."""
        ...
