"""Weights in eight bits or fewer, with a scale per output channel or per group of weights within one.

Symmetric rounding: ``weight ≈ values * scale`` with one scale per row of the first axis, so that a row with small
weights keeps its precision beside a row with large ones (Krishnamoorthi 2018, "Quantizing deep convolutional networks
for efficient inference", section 3). It serves storage alone: weights are widened again when a model is loaded.
"""

import numpy as np
import torch
from torch import Tensor

ROWS_AT_ONCE = 256  # unpacked, so that the bits of a large table, a byte each, do not leave the processor's cache


def quantize(weight: Tensor, *, bits: int = 8) -> tuple[Tensor, Tensor]:
    """Round a weight to a few bits, eight at most.

    weight: (row, ...), floating, at least two axes
    returns: values (row, ...), int8, and scale (row,), float32; a row of zeros has scale 0
    """
    largest = 2 ** (bits - 1) - 1
    rows = weight.detach().to(torch.float32).flatten(1)
    scale = rows.abs().amax(dim=1) / largest
    steps = rows / scale.clamp_min(torch.finfo(torch.float32).tiny).unsqueeze(1)
    values = steps.round().clamp(-largest, largest).to(torch.int8)
    return values.view(weight.shape), scale


def dequantize(values: Tensor, scale: Tensor) -> Tensor:
    """Undo quantize up to half a step.

    values: (row, ...), int8; scale: (row,), or (row, group) where each row was rounded in groups of equal size
    returns: (row, ...), float32
    """
    grouped = values.to(torch.float32).reshape(*scale.shape, -1)
    return grouped.mul_(scale.to(torch.float32).unsqueeze(-1)).reshape(values.shape)


def pack(values: Tensor, *, bits: int) -> Tensor:
    """Put values of a few bits one after another, the lowest bit of each first.

    values: (row, column), int8 from quantize; column x bits has to fill whole bytes
    returns: (row, column x bits / 8), uint8
    """
    shifted = values.numpy().astype(np.int16) + 2 ** (bits - 1)
    planes = (shifted[:, :, None] >> np.arange(bits)) & 1
    return torch.from_numpy(np.packbits(planes.reshape(len(planes), -1).astype(np.uint8), axis=1))


def unpack(packed: Tensor, *, bits: int) -> Tensor:
    """Undo pack: (row, byte), uint8, to (row, column), int8."""
    given = packed.numpy()
    values = np.empty((len(given), given.shape[1] * 8 // bits), np.int8)
    for first in range(0, len(given), ROWS_AT_ONCE):
        planes = np.unpackbits(given[first : first + ROWS_AT_ONCE], axis=1).reshape(-1, values.shape[1], bits)
        shifted = np.full(planes.shape[:2], -(2 ** (bits - 1)), np.int8)
        for bit in range(bits):
            shifted += planes[:, :, bit].view(np.int8) << bit
        values[first : first + ROWS_AT_ONCE] = shifted
    return torch.from_numpy(values)
