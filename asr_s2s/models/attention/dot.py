"""Dot-product attention: the query and each frame are projected and multiplied.

Luong, Pham, Manning 2015, "Effective approaches to attention-based neural machine translation", section 3.1.
The scale is from Vaswani et al. 2017, "Attention is all you need", section 3.2.1.
"""

import math
from typing import Literal

from torch import Tensor, nn

from asr_s2s.config import PartConfig, Width
from asr_s2s.models.attention.memory import Memory, softmax_over_frames
from asr_s2s.models.masks import valid_frames


class DotAttention(nn.Module):
    """Weights frames by their scaled dot product with the query."""

    def __init__(self, query_channels: int, encoder_channels: int, *, channels: int) -> None:
        super().__init__()
        self.channels = encoder_channels
        self.scale = 1 / math.sqrt(channels)
        self.query = nn.Linear(query_channels, channels)
        self.key = nn.Linear(encoder_channels, channels, bias=False)  # the softmax would cancel a bias

    def memory(self, encoder_out: Tensor, encoder_lengths: Tensor) -> Memory:
        """Project the frames once: keys (batch, time, channel), values are the frames themselves."""
        frames = valid_frames(encoder_lengths, encoder_out.size(1))
        return Memory(self.key(encoder_out), encoder_out, frames)

    def forward(self, query: Tensor, memory: Memory, history: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002 - the contract's
        """Return the context (batch, beam, channel) and the weights (batch, beam, time)."""
        energies = self.query(query) @ memory.keys.transpose(1, 2) * self.scale
        weights = softmax_over_frames(energies, memory.valid_frames[:, None])
        return weights.to(memory.values.dtype) @ memory.values, weights


class DotConfig(PartConfig):
    """Scaled dot-product attention (Luong et al. 2015)."""

    kind: Literal["dot"]
    channels: Width = 128  # width of queries and keys

    def build(self, query_channels: int, encoder_channels: int) -> DotAttention:
        """Make the attention between a decoder state and an encoding of these widths."""
        return DotAttention(query_channels, encoder_channels, channels=self.channels)
