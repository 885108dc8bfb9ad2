"""A batch: padded tensors with their lengths, and the names and texts they came from."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Some utterances, padded with zeros to the longest; every row has its true length beside it."""

    ids: tuple[str, ...]
    features: Tensor  # (batch, time, mel)
    feature_lengths: Tensor  # (batch,), frames
    tokens: Tensor  # (batch, token), without start and end tokens
    token_lengths: Tensor  # (batch,)
    texts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)

    def to(self, device: torch.device) -> "Batch":
        """Give the same batch with its tensors on a device."""
        return replace(
            self,
            features=self.features.to(device),
            feature_lengths=self.feature_lengths.to(device),
            tokens=self.tokens.to(device),
            token_lengths=self.token_lengths.to(device),
        )
