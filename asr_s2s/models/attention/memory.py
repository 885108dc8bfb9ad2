"""What an attention remembers of the encoder, once per utterance, and the softmax over its real frames."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Memory:
    """The encoding as an attention needs it: never repeated for the hypotheses of a beam.

    keys: (batch, time, channel), compared with the decoder's query
    values: (batch, time, channel), averaged into the context
    valid_frames: (batch, time), True for real frames
    """

    keys: Tensor
    values: Tensor
    valid_frames: Tensor

    def keep(self, utterances: Tensor) -> "Memory":
        """Keep only the utterances (kept,) of the batch, in that order."""
        return Memory(self.keys[utterances], self.values[utterances], self.valid_frames[utterances])


class Attention(Protocol):
    """Looks at the encoding with a query and says where it looked; for the rnn decoder."""

    channels: int  # width of the context

    def memory(self, encoder_out: Tensor, encoder_lengths: Tensor) -> Memory:
        """Prepare what all steps share.

        encoder_out: (batch, time, channel), encoder_lengths: (batch,)
        """
        ...

    def __call__(self, query: Tensor, memory: Memory, history: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the context (batch, beam, channel) and the weights (batch, beam, time); None where nothing is weighed.

        query: (batch, beam, query channel), the decoder's state
        history: (batch, beam, 2, time), the weights of the last step and the sum of those of all steps
        """
        ...


def first_history(valid_frames: Tensor) -> Tensor:
    """Return the history (batch, 1, 2, time) before the first step: attention on the first frame, the sum zero.

    Resting on the first frame tells a location-aware attention where to begin; zeros would leave it lost.
    """
    history = valid_frames.new_zeros(valid_frames.size(0), 1, 2, valid_frames.size(1), dtype=torch.float32)
    history[:, :, 0, :1] = 1.0
    return history


def next_history(history: Tensor, weights: Tensor) -> Tensor:
    """Add one step's weights (batch, beam, time) to a history (batch, beam, 2, time)."""
    return torch.stack((weights, history[:, :, 1] + weights), dim=2)


def softmax_over_frames(energies: Tensor, valid_frames: Tensor) -> Tensor:
    """Turn energies (..., time) into weights that sum to one over real frames, in float32, and are zero elsewhere.

    valid_frames: broadcastable to the energies. An utterance without any frame gets zeros, not NaN.
    """
    invalid_frames = ~valid_frames
    energies = energies.float().masked_fill(invalid_frames, torch.finfo(torch.float32).min)
    return energies.softmax(dim=-1).masked_fill(invalid_frames, 0.0)
