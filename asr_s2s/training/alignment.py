"""Does the attention form? Three numbers for a matrix of weights.

An attention that works walks through the recording: its expected position grows with the token index (diagonality),
it looks at few frames at a time (sharpness), and it leaves no long stretch unseen (coverage).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

MIN_TOKENS = 4  # a correlation over fewer tokens says nothing


@dataclass(frozen=True)
class AttentionAlignment:
    """How the attention of some utterances looks, each value a mean over them, 0 (bad) to 1 (good)."""

    diagonality: float  # correlation of the expected position with the token index, -1 to 1; 0 if it stands still
    sharpness: float  # 1 - entropy / log(frames)
    coverage: float  # share of the recording that was looked at


def measure_alignment(attentions: Sequence[Tensor]) -> AttentionAlignment:
    """Measure attention matrices, each (token, time) without padding, rows that sum to 1.

    Utterances shorter than a few tokens or frames are left out; without any other the values are those of short ones.
    """
    long_enough = [attention for attention in attentions if attention.shape[0] >= MIN_TOKENS]
    measured = [_measure(attention.double()) for attention in long_enough or attentions]
    count = max(len(measured), 1)
    return AttentionAlignment(
        diagonality=sum(one.diagonality for one in measured) / count,
        sharpness=sum(one.sharpness for one in measured) / count,
        coverage=sum(one.coverage for one in measured) / count,
    )


def _measure(attention: Tensor) -> AttentionAlignment:
    num_tokens, num_frames = attention.shape
    entropy = -(attention * attention.clamp_min(1e-12).log()).sum(1).mean()
    return AttentionAlignment(
        diagonality=_correlation(attention @ torch.arange(num_frames, dtype=attention.dtype)),
        sharpness=1 - float(entropy) / math.log(num_frames) if num_frames > 1 else 1.0,
        coverage=_coverage(attention, pieces=min(num_tokens, num_frames)),
    )


def _correlation(positions: Tensor) -> float:
    """Correlate positions (token,) with their index; standing still within half a frame counts as 0."""
    if len(positions) < 2 or float(positions.max() - positions.min()) < 0.5:
        return 0.0
    index = torch.arange(len(positions), dtype=positions.dtype)
    return float(torch.corrcoef(torch.stack([index, positions]))[0, 1])


def _coverage(attention: Tensor, *, pieces: int) -> float:
    """Cut the recording into as many equal pieces as tokens; a piece that got one token's weight is seen."""
    received = attention.sum(0)
    piece_of_frame = torch.arange(len(received)) * pieces // len(received)
    weights = torch.zeros(pieces, dtype=attention.dtype).index_add_(0, piece_of_frame, received)
    return float(weights.clamp_max(1).mean())
