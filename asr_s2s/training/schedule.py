"""The learning rate: a linear warm-up counted in steps, then a decay over the whole run."""

import math
from typing import Literal

Decay = Literal["cosine", "linear", "constant"]


def learning_rate(
    step: int, progress: float, *, peak: float, warmup: int, decay: Decay = "cosine", floor: float = 0.0
) -> float:
    """Return the rate of one update.

    step: updates made before this one; the warm-up rises over the first `warmup` of them and never starts at zero
    progress: share of the run that is done, 0 to 1; with a time limit it is the share of the time
    floor: share of the peak that is left at the end
    """
    rise = min(1.0, (step + 1) / warmup) if warmup else 1.0
    done = min(max(progress, 0.0), 1.0)
    falls = {"cosine": 0.5 * (1 + math.cos(math.pi * done)), "linear": 1 - done, "constant": 1.0}
    return peak * rise * (floor + (1 - floor) * falls[decay])
