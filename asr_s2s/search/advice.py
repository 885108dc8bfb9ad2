"""What others beside the model add to hypotheses: hot words that are expected, a language model."""

from typing import Protocol, Self

from asr_s2s.engine.protocol import LogProbs, Tokens


class Advice(Protocol):
    """What one adviser thinks of the hypotheses of a batch; a value: every method gives a new one."""

    @property
    def totals(self) -> LogProbs:
        """Give what the hypotheses have been given so far, (batch, beam), in nats."""
        ...

    @property
    def gains(self) -> LogProbs:
        """Give what each next token would add, (batch, beam, vocabulary), in nats."""
        ...

    def advance(self, beams: Tokens, tokens: Tokens) -> Self:
        """Choose hypotheses (batch, new beam) within each utterance and append one token to each."""
        ...

    def keep(self, utterances: Tokens) -> Self:
        """Keep only some utterances of the batch."""
        ...


class Adviser(Protocol):
    """Advises any number of searches."""

    def advise(self, batch: int, *, start_token: int) -> Advice:
        """Begin with one empty hypothesis per utterance, after the last start token."""
        ...
