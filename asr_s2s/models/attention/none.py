"""No attention: the whole utterance in one vector of fixed length, kept to show what attention buys.

Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder", section 2.2: each step sees one summary.
Sutskever et al. 2014, "Sequence to sequence learning with neural networks": the encoder's last frame is the summary.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from asr_s2s.config import PartConfig, Width
from asr_s2s.models.attention.memory import Memory
from asr_s2s.models.masks import valid_frames


class NoAttention(nn.Module):
    """Gives every step the same vector, made from the last and the first real frame.

    A bidirectional encoder has read the whole utterance forwards at its last frame and backwards at its first.
    """

    def __init__(self, encoder_channels: int, *, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.summary = nn.Linear(2 * encoder_channels, channels)

    def memory(self, encoder_out: Tensor, encoder_lengths: Tensor) -> Memory:
        """Summarise each utterance once: keys and values are the summary (batch, 1, channel)."""
        last_frame = (encoder_lengths - 1).clamp(min=0)[:, None, None].expand(-1, 1, encoder_out.size(2))
        ends = torch.cat((encoder_out.gather(1, last_frame), encoder_out[:, :1]), dim=2)
        summary = torch.tanh(self.summary(ends))
        return Memory(summary, summary, valid_frames(encoder_lengths, encoder_out.size(1)))

    def forward(self, query: Tensor, memory: Memory, history: Tensor) -> tuple[Tensor, None]:  # noqa: ARG002 - the contract's
        """Return the summary as context (batch, beam, channel) to every query, and no weights."""
        return memory.values.expand(-1, query.size(1), -1), None


class NoneConfig(PartConfig):
    """No attention: a fixed-length vector (Cho et al. 2014, Sutskever et al. 2014)."""

    kind: Literal["none"]
    channels: Width = 256  # width of the vector

    def build(self, query_channels: int, encoder_channels: int) -> NoAttention:  # noqa: ARG002 - the contract's
        """Make the summary of an encoding of this width."""
        return NoAttention(encoder_channels, channels=self.channels)
