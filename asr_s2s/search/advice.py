"""What others beside the model add to hypotheses: hot words that are expected, a language model."""

from typing import Protocol, Self

import torch
from torch import Tensor


class Advice(Protocol):
    """What one adviser thinks of the hypotheses of a batch; a value: every method gives a new one."""

    @property
    def totals(self) -> Tensor:
        """Give what the hypotheses have been given so far, (batch, beam), in nats."""
        ...

    @property
    def gains(self) -> Tensor:
        """Give what each next token would add, (batch, beam, vocabulary), in nats."""
        ...

    def advance(self, beams: Tensor, tokens: Tensor) -> Self:
        """Choose hypotheses (batch, new beam) within each utterance and append one token to each."""
        ...

    def keep(self, utterances: Tensor) -> Self:
        """Keep only some utterances of the batch."""
        ...


class Adviser(Protocol):
    """Advises any number of searches."""

    def advise(self, batch: int, *, start_token: int, device: torch.device) -> Advice:
        """Begin with one empty hypothesis per utterance, after the last start token."""
        ...
