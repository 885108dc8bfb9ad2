"""Which frames of a padded batch are real, and how the others are kept silent."""

import torch
from torch import Tensor


def valid_frames(lengths: Tensor, max_length: int) -> Tensor:
    """Mark the real frames: (batch, time) bool, True within each utterance's length.

    lengths: (batch,), integer
    """
    return torch.arange(max_length, device=lengths.device) < lengths[:, None]


def zero_beyond(x: Tensor, lengths: Tensor) -> Tensor:
    """Set the frames beyond each utterance's length to zero, so that no convolution can see them.

    x: (batch, time, channel), lengths: (batch,)
    """
    # A product would keep NaN and infinity alive; a fill does not.
    return x.masked_fill(~valid_frames(lengths, x.size(1))[:, :, None], 0.0)
