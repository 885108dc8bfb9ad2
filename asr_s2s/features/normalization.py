"""Mean and variance normalisation of features, over a corpus or within an utterance."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

STD_FLOOR = 1e-5  # a mel channel that never changes stays finite; speech has deviations of 1 to 5


class GlobalNormalization(nn.Module):
    """Subtract a fixed mean and divide by a fixed deviation per mel; the identity until they are set."""

    mean: Tensor
    inverse_std: Tensor

    def __init__(self, num_mels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(num_mels))
        self.register_buffer("inverse_std", torch.ones(num_mels))

    def set_statistics(self, mean: Tensor, std: Tensor) -> None:
        """Fix the statistics, each (mel,)."""
        self.mean.copy_(mean)
        self.inverse_std.copy_(1.0 / std.clamp(min=STD_FLOOR))

    def forward(self, features: Tensor, valid_frames: Tensor) -> Tensor:  # noqa: ARG002 - both kinds take the same
        """Normalise (batch, time, mel) features, each frame on its own."""
        return (features - self.mean) * self.inverse_std


class UtteranceNormalization(nn.Module):
    """Normalise each mel channel of each utterance to mean 0 and deviation 1 over its own valid frames."""

    def forward(self, features: Tensor, valid_frames: Tensor) -> Tensor:
        """Normalise (batch, time, mel) features; valid_frames (batch, time) is True at real frames."""
        valid = valid_frames[:, :, None]
        count = valid.sum(dim=1, keepdim=True).clamp(min=1)
        mean = torch.where(valid, features, 0.0).sum(dim=1, keepdim=True) / count
        centred = torch.where(valid, features - mean, 0.0)
        variance = centred.square().sum(dim=1, keepdim=True) / count
        return centred * variance.clamp(min=STD_FLOOR**2).rsqrt()


@dataclass(frozen=True)
class FeatureStatistics:
    """Sums over frames, in float64, that add up to a corpus's mean and deviation."""

    count: int
    total: Tensor
    total_of_squares: Tensor

    @classmethod
    def of(cls, features: Tensor, feature_lengths: Tensor) -> Self:
        """Sum over the valid frames of a batch: features (batch, time, mel), feature_lengths (batch,)."""
        valid = torch.arange(features.shape[1], device=features.device) < feature_lengths[:, None]
        frames = features[valid].double()
        return cls(len(frames), frames.sum(dim=0), frames.square().sum(dim=0))

    def __add__(self, other: Self) -> Self:
        """Join the statistics of two parts of a corpus."""
        return type(self)(
            self.count + other.count, self.total + other.total, self.total_of_squares + other.total_of_squares
        )

    @property
    def mean(self) -> Tensor:
        """The mean of each mel channel, (mel,)."""
        return self.total / max(self.count, 1)

    @property
    def std(self) -> Tensor:
        """The standard deviation of each mel channel, (mel,)."""
        return (self.total_of_squares / max(self.count, 1) - self.mean.square()).clamp(min=0).sqrt()
