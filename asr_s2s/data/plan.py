"""Which utterances make which batch, in which order: a pure function of (durations, seed, epoch)."""

from collections.abc import Sequence

import numpy as np

# Utterances whose durations differ by less than this share may change places between epochs, so that batches differ
# from epoch to epoch; it is also about the most that a bucket pads.
LENGTH_JITTER = 0.05


def epoch_plan(
    durations: Sequence[float],
    *,
    batch_seconds: float,
    seed: int,
    epoch: int,
    quadratic_seconds: float | None = None,
    shortest_first: bool = False,
) -> list[list[int]]:
    """Plan one epoch: batches of indices into durations, every index exactly once.

    A batch holds utterances of similar duration and costs its longest duration times their count (padding is paid
    for); the cost is at most batch_seconds, save for an utterance that exceeds it alone and gets a batch of its own.
    quadratic_seconds: of cost_of
    The order of batches is drawn from (seed, epoch), or from short to long with shortest_first.
    """
    rng = np.random.default_rng([seed, epoch])
    jitter = rng.uniform(1 - LENGTH_JITTER / 2, 1 + LENGTH_JITTER / 2, size=len(durations))
    by_length = np.argsort(np.asarray(durations, dtype=np.float64) * jitter, kind="stable")
    costs = [cost_of(seconds, quadratic_seconds) for seconds in durations]
    batches = _fill_batches(by_length.tolist(), costs, limit=batch_seconds)
    if shortest_first:
        return batches
    return [batches[index] for index in rng.permutation(len(batches))]


def cost_of(seconds: float, quadratic_seconds: float | None) -> float:
    """Return what an utterance of d seconds counts: d + d² / quadratic_seconds, or d alone.

    Self-attention costs with the square of a duration, so that batches of long utterances are to be smaller.
    """
    return seconds + (seconds**2 / quadratic_seconds if quadratic_seconds else 0.0)


def _fill_batches(order: list[int], costs: Sequence[float], *, limit: float) -> list[list[int]]:
    batches: list[list[int]] = []
    most = 0.0
    for index in order:
        most = max(most, costs[index])
        if batches and most * (len(batches[-1]) + 1) <= limit:
            batches[-1].append(index)
        else:
            batches.append([index])
            most = costs[index]
    return batches


def padding_share(durations: Sequence[float], plan: Sequence[Sequence[int]]) -> float:
    """Return which share of a plan's cost is padding, 0 to 1."""
    cost = sum(len(batch) * max(durations[index] for index in batch) for batch in plan)
    return 1 - sum(durations[index] for batch in plan for index in batch) / cost if cost else 0.0
