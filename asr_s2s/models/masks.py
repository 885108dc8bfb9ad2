"""Which frames of a padded batch are real."""

import torch
from torch import Tensor


def valid_frames(lengths: Tensor, max_length: int) -> Tensor:
    """Mark the real frames: (batch, time) bool, True within each utterance's length.

    lengths: (batch,), integer
    """
    return torch.arange(max_length, device=lengths.device) < lengths[:, None]
