"""Multi-head attention: several scaled dot-product attentions side by side, their contexts joined.

Vaswani et al. 2017, "Attention is all you need", section 3.2.2; with a recurrent decoder as in Chiu et al. 2018,
"State-of-the-art speech recognition with sequence-to-sequence models", section 2.2.2.
"""

import math
from typing import Literal

from pydantic import model_validator
from torch import Tensor, nn

from asr_s2s.config import PartConfig, Width
from asr_s2s.models.attention.memory import Memory, softmax_over_frames
from asr_s2s.models.masks import valid_frames


class RnnMultiHeadAttention(nn.Module):
    """Multi-head attention of the rnn decoder; the weights it returns are the mean over the heads."""

    def __init__(self, query_channels: int, encoder_channels: int, *, channels: int, heads: int) -> None:
        super().__init__()
        self.channels = channels
        self.heads = heads
        self.scale = 1 / math.sqrt(channels // heads)
        self.query = nn.Linear(query_channels, channels)
        self.key = nn.Linear(encoder_channels, channels, bias=False)  # the softmax would cancel a bias
        self.value = nn.Linear(encoder_channels, channels)
        self.output = nn.Linear(channels, channels)

    def memory(self, encoder_out: Tensor, encoder_lengths: Tensor) -> Memory:
        """Project the frames once: keys and values (batch, time, channel), the heads side by side in the channels."""
        frames = valid_frames(encoder_lengths, encoder_out.size(1))
        return Memory(self.key(encoder_out), self.value(encoder_out), frames)

    def forward(self, query: Tensor, memory: Memory, history: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002 - the contract's
        """Return the context (batch, beam, channel) and the weights (batch, beam, time)."""
        energies = self._by_head(self.query(query)) @ self._by_head(memory.keys).transpose(2, 3) * self.scale
        weights = softmax_over_frames(energies, memory.valid_frames[:, None, None])  # (batch, head, beam, time)
        by_head = weights.to(memory.values.dtype) @ self._by_head(memory.values)
        context: Tensor = self.output(by_head.transpose(1, 2).flatten(2))
        return context, weights.mean(dim=1)

    def _by_head(self, x: Tensor) -> Tensor:
        """(batch, position, channel) to (batch, head, position, channel / head)."""
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)


class MultiHeadConfig(PartConfig):
    """Multi-head attention (Vaswani et al. 2017)."""

    kind: Literal["multihead"]
    channels: Width = 128  # width of all heads together
    heads: Width = 4  # attention heads

    @model_validator(mode="after")
    def _heads_share_the_channels(self) -> "MultiHeadConfig":
        if self.channels % self.heads:
            raise ValueError(
                f"channels ({self.channels}) is not a multiple of heads ({self.heads}); each head gets an equal share"
            )
        return self

    def build(self, query_channels: int, encoder_channels: int) -> RnnMultiHeadAttention:
        """Make the attention between a decoder state and an encoding of these widths."""
        return RnnMultiHeadAttention(query_channels, encoder_channels, channels=self.channels, heads=self.heads)
