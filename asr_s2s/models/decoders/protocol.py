"""What every decoder offers a search: start from an encoding, score the next token of each hypothesis, choose, drop.

Axes are explicit: (batch, beam, ...). A state belongs to one batch of utterances; what depends on the encoder alone is
stored once per utterance, whatever the beam. A state is a value: every call returns a new one and the old stays valid.
"""

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from torch import Tensor

State = TypeVar("State")


@dataclass(frozen=True, slots=True)
class DecoderOutput:
    """Scores of a teacher-forced pass: logits (batch, token, vocabulary), attention (batch, token, time') or None.

    The logits at token i score token i + 1; attention rows sum to one over the real frames.
    """

    logits: Tensor
    attention: Tensor | None


@dataclass(frozen=True, slots=True)
class StepOutput(Generic[State]):
    """Scores of the next token: logits (batch, beam, vocabulary), attention (batch, beam, time') or None; new state."""

    logits: Tensor
    attention: Tensor | None
    state: State


class Decoder(Protocol[State]):
    """Scores of token sequences given an encoding; `Decoder[Any]` where the state is only handed on."""

    vocabulary_size: int
    aligns: bool  # its attention is one alignment of tokens and frames
    max_tokens: int | None  # the longest sequence, start tokens included, that can be scored; None: no limit

    def __call__(
        self, tokens: Tensor, encoder_out: Tensor, encoder_lengths: Tensor, *, with_attention: bool = False
    ) -> DecoderOutput:
        """Score whole sequences at once.

        tokens: (batch, token), start tokens included, padded at the end with any valid id
        encoder_out: (batch, time', channel), encoder_lengths: (batch,)
        with_attention: also give the attention weights (gradients flow through them), which costs time
        """
        ...

    def start(self, encoder_out: Tensor, encoder_lengths: Tensor) -> State:
        """Return the state before the first start token, with one hypothesis per utterance (beam 1)."""
        ...

    def step(self, tokens: Tensor, state: State, *, with_attention: bool = False) -> StepOutput[State]:
        """Append one token (batch, beam) to each hypothesis and score what follows; call again for longer prompts."""
        ...

    def reorder(self, state: State, beams: Tensor) -> State:
        """Gather hypotheses within each utterance: beams (batch, new beam) holds old beam indices, repeats allowed."""
        ...

    def keep(self, state: State, utterances: Tensor) -> State:
        """Keep only the utterances (kept,) of the batch, in that order."""
        ...
