"""Weights in eight bits or fewer, with a scale per output channel or per group of weights within one.

Symmetric rounding: ``weight ≈ values * scale`` with one scale per row of the first axis, so that a row with small
weights keeps its precision beside a row with large ones (Krishnamoorthi 2018, "Quantizing deep convolutional networks
for efficient inference", section 3). It serves storage alone: weights are widened again when a model is loaded.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float32]
Values = NDArray[np.int8]
ROWS_AT_ONCE = 256  # so that what is made of a large table on the way does not leave the processor's cache


def quantize(weight: Weights, *, bits: int = 8, fitted: bool = False) -> tuple[Values, Weights]:
    """Round a weight to a few bits, eight at most.

    weight: (row, ...), at least two axes
    fitted: choose for each row the scale of the least squared error, which cuts the largest weights; without, the
        largest weight of a row is exact
    returns: values (row, ...) and scale (row,); a row of zeros has scale 0
    """
    largest = 2 ** (bits - 1) - 1
    rows = weight.reshape(len(weight), -1)
    scale = np.maximum(rows.max(axis=1), -rows.min(axis=1)) / np.float32(largest)
    if fitted:
        scale = np.concatenate(
            [
                _fitted_scale(rows[first : first + ROWS_AT_ONCE], scale[first : first + ROWS_AT_ONCE], largest)
                for first in range(0, len(rows), ROWS_AT_ONCE)
            ]
        )
    values = np.empty(rows.shape, np.int8)
    for first in range(0, len(rows), ROWS_AT_ONCE):
        chunk = slice(first, first + ROWS_AT_ONCE)
        steps = rows[chunk] / np.maximum(scale[chunk], np.finfo(np.float32).tiny)[:, None]
        values[chunk] = np.clip(np.round(steps, out=steps), -largest, largest, out=steps)
    return values.reshape(weight.shape), scale


def _fitted_scale(rows: Weights, scale: Weights, largest: int) -> Weights:
    """Choose the scale with which rounding has the least squared error; weights that are rounded already stay."""
    least, best = np.full(len(rows), np.inf, np.float32), scale
    for step in [largest, *range(largest // 2, largest), *range(largest + 1, largest * 3 // 2)]:  # of the largest
        tried = scale * np.float32(largest / step)
        steps = rows / np.maximum(tried, np.finfo(np.float32).tiny)[:, None]
        rounded = np.clip(np.round(steps), -largest, largest) * tried[:, None]
        error = np.square(rounded - rows).sum(axis=1)
        best, least = np.where(error < least, tried, best), np.minimum(error, least)
    return np.asarray(best)


def dequantize(values: Values, scale: NDArray[np.floating[Any]]) -> Weights:
    """Undo quantize up to half a step.

    values: (row, ...); scale: (row,), or (row, group) where each row was rounded in groups of equal size
    returns: (row, ...)
    """
    grouped = values.astype(np.float32).reshape(*scale.shape, -1)
    grouped *= scale.astype(np.float32)[..., None]
    return grouped.reshape(values.shape)


def pack(values: Values, *, bits: int) -> NDArray[np.uint8]:
    """Put values of a few bits one after another, the lowest bit of each first.

    values: (row, column) from quantize; column x bits has to fill whole bytes
    returns: (row, column x bits / 8)
    """
    shifted = values.astype(np.int16) + 2 ** (bits - 1)
    planes = (shifted[:, :, None] >> np.arange(bits)) & 1
    return np.packbits(planes.reshape(len(planes), -1).astype(np.uint8), axis=1)


def unpack(packed: NDArray[np.uint8], *, bits: int) -> Values:
    """Undo pack: (row, byte) to (row, column)."""
    values = np.empty((len(packed), packed.shape[1] * 8 // bits), np.int8)
    for first in range(0, len(packed), ROWS_AT_ONCE):
        planes = np.unpackbits(packed[first : first + ROWS_AT_ONCE], axis=1).reshape(-1, values.shape[1], bits)
        shifted = np.full(planes.shape[:2], -(2 ** (bits - 1)), np.int8)
        for bit in range(bits):
            shifted += planes[:, :, bit].view(np.int8) << bit
        values[first : first + ROWS_AT_ONCE] = shifted
    return values
