"""Where a frame stands, as a vector that is added to it.

Vaswani 2017: Vaswani et al., "Attention is all you need", NeurIPS 2017.
"""

import math

import torch
from torch import Tensor, nn

from asr_s2s.models.silence import MergedSilence


class Positions(nn.Module):
    """Adds to each frame the vector of its place, then drops channels in training.

    silence: frames that stand for the rest of a window are appended first
    """

    def __init__(self, channels: int, *, dropout: float, silence: MergedSilence | None = None) -> None:
        super().__init__()
        self.channels = channels
        self.silence = silence
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return (batch, time', channel) and lengths (batch,): those given, or with the appended frames."""
        if self.silence is None:
            vectors = sinusoids(x.size(1), self.channels, device=x.device)
        else:
            x, lengths = self.silence.append(x, lengths)
            vectors = sinusoids_at(self.silence.positions(lengths, x.size(1)), self.channels)
        return self.dropout(x + vectors.to(x.dtype)), lengths


def sinusoids(length: int, channels: int, *, device: torch.device | None = None) -> Tensor:
    """Compute the sinusoidal positions of Vaswani 2017, section 3.5, in the layout Whisper was trained with.

    returns: (time, channel), see sinusoids_at
    """
    return sinusoids_at(torch.arange(length, dtype=torch.float32, device=device), channels)


def sinusoids_at(positions: Tensor, channels: int) -> Tensor:
    """Compute the vectors of any positions, between whole numbers too: (..., channel) of (...), float32.

    The sines are in the first half of the channels, the cosines in the second; timescales grow geometrically from 1 to
    10,000 with both ends included. channels is even.
    """
    half = channels // 2
    step = math.log(10_000) / max(half - 1, 1)
    rates = torch.exp(-step * torch.arange(half, dtype=torch.float32, device=positions.device))
    angles = positions.float()[..., None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=-1)
