"""Additive attention: a one-layer network scores each frame against the query.

Bahdanau, Cho, Bengio 2015, "Neural machine translation by jointly learning to align and translate", appendix A.1.2.
"""

from typing import Literal

from torch import Tensor, nn

from asr_s2s.config import PartConfig, Width
from asr_s2s.models.attention.memory import Memory, softmax_over_frames
from asr_s2s.models.masks import valid_frames


class AdditiveAttention(nn.Module):
    """Weights frames by v · tanh(query + key)."""

    def __init__(self, query_channels: int, encoder_channels: int, *, channels: int) -> None:
        super().__init__()
        self.channels = encoder_channels
        self.query = nn.Linear(query_channels, channels)
        self.key = nn.Linear(encoder_channels, channels, bias=False)  # the query's bias serves both
        self.energy = nn.Linear(channels, 1, bias=False)  # the softmax would cancel a bias

    def memory(self, encoder_out: Tensor, encoder_lengths: Tensor) -> Memory:
        """Project the frames once: keys (batch, time, channel), values are the frames themselves."""
        frames = valid_frames(encoder_lengths, encoder_out.size(1))
        return Memory(self.key(encoder_out), encoder_out, frames)

    def forward(self, query: Tensor, memory: Memory, history: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002 - the contract's
        """Return the context (batch, beam, channel) and the weights (batch, beam, time)."""
        hidden = self.query(query)[:, :, None] + memory.keys[:, None]
        energies = self.energy(hidden.tanh()).squeeze(-1)
        weights = softmax_over_frames(energies, memory.valid_frames[:, None])
        return weights.to(memory.values.dtype) @ memory.values, weights


class AdditiveConfig(PartConfig):
    """Additive attention (Bahdanau et al. 2015)."""

    kind: Literal["additive"]
    channels: Width = 128  # width in which query and key are added

    def build(self, query_channels: int, encoder_channels: int) -> AdditiveAttention:
        """Make the attention between a decoder state and an encoding of these widths."""
        return AdditiveAttention(query_channels, encoder_channels, channels=self.channels)
