"""Weights in eight bits, with a scale per output channel.

Symmetric rounding: ``weight ≈ values * scale`` with one scale per row of the first axis, so that a row with small
weights keeps its precision beside a row with large ones (Krishnamoorthi 2018, "Quantizing deep convolutional networks
for efficient inference", section 3). It serves storage alone: weights are widened again when a model is loaded.
"""

import torch
from torch import Tensor

LARGEST = 127


def quantize(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Round a weight to eight bits.

    weight: (row, ...), floating, at least two axes
    returns: values (row, ...), int8, and scale (row,), float32; a row of zeros has scale 0
    """
    rows = weight.detach().to(torch.float32).flatten(1)
    scale = rows.abs().amax(dim=1) / LARGEST
    steps = rows / scale.clamp_min(torch.finfo(torch.float32).tiny).unsqueeze(1)
    values = steps.round().clamp(-LARGEST, LARGEST).to(torch.int8)
    return values.view(weight.shape), scale


def dequantize(values: Tensor, scale: Tensor) -> Tensor:
    """Undo quantize up to half a step.

    values: (row, ...), int8; scale: (row,), float32
    returns: (row, ...), float32
    """
    return values.to(torch.float32) * scale.view(-1, *[1] * (values.dim() - 1))
