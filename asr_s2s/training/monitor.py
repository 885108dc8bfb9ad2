"""Does the attention form? Three numbers for a matrix of weights, and words for what is wrong.

An attention that works walks through the recording: its expected position grows with the token index (diagonality),
it looks at few frames at a time (sharpness), and it leaves no long stretch unseen (coverage).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Cause = Literal["not sharp", "not moving", "free-running"]

# Measured on GRID and digits. LSTM with location attention: sharpness 0.00 to 0.03 and diagonality -0.3 to 0.2 in the
# first two epochs, 0.2 to 0.4 and 0.6 to 0.8 once it reads (CER below 5 %); short words are recognised at a glance.
# Transformer, the mean of its heads, which share the work: 0.03 and 0.2 at first, 0.11 and 0.3 once it reads.
SHARP_ENOUGH = 0.1
MOVING_ENOUGH = 0.25
READS_WELL = 0.3  # free-running character error rate below which nothing is wrong, whatever the pictures look like
FORCED_WELL = 0.7  # accuracy of the next token given the true ones
MIN_TOKENS = 4  # a correlation over fewer tokens says nothing


@dataclass(frozen=True)
class Alignment:
    """How the attention of some utterances looks, each value a mean over them, 0 (bad) to 1 (good)."""

    diagonality: float  # correlation of the expected position with the token index, -1 to 1; 0 if it stands still
    sharpness: float  # 1 - entropy / log(frames)
    coverage: float  # share of the recording that was looked at


@dataclass(frozen=True)
class Alarm:
    """One cause for concern, with what it means and what to try."""

    cause: Cause
    message: str


def measure_alignment(attentions: Sequence[Tensor]) -> Alignment:
    """Measure attention matrices, each (token, time) without padding, rows that sum to 1.

    Utterances shorter than a few tokens or frames are left out; without any other the values are those of short ones.
    """
    long_enough = [attention for attention in attentions if attention.shape[0] >= MIN_TOKENS]
    measured = [_measure(attention.double()) for attention in long_enough or attentions]
    count = max(len(measured), 1)
    return Alignment(
        diagonality=sum(one.diagonality for one in measured) / count,
        sharpness=sum(one.sharpness for one in measured) / count,
        coverage=sum(one.coverage for one in measured) / count,
    )


def _measure(attention: Tensor) -> Alignment:
    num_tokens, num_frames = attention.shape
    entropy = -(attention * attention.clamp_min(1e-12).log()).sum(1).mean()
    return Alignment(
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


def find_alarm(
    alignment: Alignment | None, *, accuracy: float, character_error_rate: float, epoch: int
) -> Alarm | None:
    """Say in plain words what keeps a model from reading, or nothing.

    alignment: None for a decoder without attention
    accuracy: share of right next tokens with the true ones given (teacher forcing)
    character_error_rate: of the free-running search, as a share
    """
    if character_error_rate < READS_WELL:
        return None
    state = f"after {epoch} epochs the free-running character error rate is {character_error_rate:.0%}"
    if alignment and alignment.sharpness < SHARP_ENOUGH:
        return Alarm("not sharp", f"The attention is not sharp: {state}, and {_NOT_SHARP.format(alignment)}")
    if alignment and alignment.diagonality < MOVING_ENOUGH:
        return Alarm("not moving", f"The attention is not moving: {state}, and {_NOT_MOVING.format(alignment)}")
    if accuracy >= FORCED_WELL:
        given = f"although {accuracy:.0%} of the next tokens are right when the true ones before them are given"
        return Alarm("free-running", f"The model does not read on its own: {state}, {given}. {_FREE_RUNNING}")
    return None


_NOT_SHARP = (
    "every token still looks at nearly all frames alike (sharpness {0.sharpness:.2f} of 1). "
    "Give it more epochs if the loss is falling; otherwise try losses.guided_attention for the first epochs, "
    "losses.ctc=0.3 with model.ctc=true, data.shortest_first_epochs=2, or a longer training.warmup."
)
_NOT_MOVING = (
    "its position does not follow the tokens (diagonality {0.diagonality:.2f} of 1, coverage {0.coverage:.2f}): "
    "it stays or jumps about. Try model.attention.kind=location, losses.guided_attention for the first epochs, "
    "losses.ctc=0.3 with model.ctc=true, or half the training.learning_rate."
)
_FREE_RUNNING = (
    "The decoder leans on the text it has seen instead of the sound, or stops or loops. "
    "Try more dropout in model.decoder, losses.ctc=0.3 with model.ctc=true, more data, "
    "and look at the samples: loops and early ends also come from odd references."
)
