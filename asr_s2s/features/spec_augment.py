"""SpecAugment: hide random stretches of time and bands of mel channels from the encoder in training.

Park et al. 2019, "SpecAugment: A Simple Data Augmentation Method for Automatic Speech Recognition", section 2
(without time warping, which they found to help least).
"""

from collections.abc import Sequence

import torch
from torch import Tensor


def spec_augment(
    features: Tensor,
    feature_lengths: Tensor,
    *,
    time_masks: int,
    time_width: float,
    mel_masks: int,
    mel_width: int,
    generators: Sequence[torch.Generator],
) -> Tensor:
    """Put each utterance's own mean into random time stretches and mel bands; frames beyond its length stay.

    features: (batch, time, mel); feature_lengths: (batch,)
    time_width: the longest stretch as a fraction of the utterance; mel_width: the widest band in channels
    generators: one on the CPU for each utterance, so that its masks do not depend on its neighbours
    returns: (batch, time, mel), a new tensor
    """
    _, time, num_mels = features.shape
    draws = torch.stack([torch.rand(time_masks + mel_masks, 2, generator=g, dtype=torch.float64) for g in generators])
    draws = draws.to(features.device)
    lengths = feature_lengths[:, None].double()
    hidden_frames = _any_stretch(draws[:, :time_masks], (time_width * lengths).floor(), lengths, time)
    widest = torch.full_like(lengths, min(mel_width, num_mels))
    hidden_mels = _any_stretch(draws[:, time_masks:], widest, torch.full_like(lengths, num_mels), num_mels)

    valid = (torch.arange(time, device=features.device) < feature_lengths[:, None])[:, :, None]
    hidden = (hidden_frames[:, :, None] | hidden_mels[:, None, :]) & valid
    count = (feature_lengths * num_mels).clamp(min=1)[:, None, None]
    mean = torch.where(valid, features, 0.0).sum(dim=(1, 2), keepdim=True) / count
    return torch.where(hidden, mean, features)


def _any_stretch(draws: Tensor, widest: Tensor, lengths: Tensor, size: int) -> Tensor:
    """Mark the places that lie in any of the stretches; (batch, size), bool.

    draws: (batch, stretch, 2) in [0, 1), for width and start; widest, lengths: (batch, 1), whole numbers
    """
    widths = (draws[:, :, 0] * (widest + 1)).floor()
    starts = (draws[:, :, 1] * (lengths - widths + 1)).floor()
    places = torch.arange(size, device=draws.device)
    inside = (places >= starts[:, :, None]) & (places < (starts + widths)[:, :, None])
    return inside.any(dim=1)
