"""Intervals of the normalised word error rate, of all utterances and of each group."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from asr_s2s.scoring.bootstrap import by_block, rate_interval
from asr_s2s.scoring.report import Counts, Interval

FEWEST = 10  # utterances or speakers: resamples of fewer are too much alike to show how far a rate may be off


def intervals_of(counts: Counts) -> tuple[Interval, ...]:
    """Return the interval by utterance, and the one by speaker where the speakers are known."""
    errors, lengths = _errors(counts), counts.words[:, 3]
    found = [rate_interval(errors, lengths, by="utterance")]
    if counts.speakers is not None:
        by_speaker = (by_block(counts.speakers, column) for column in (errors, lengths))
        found.append(rate_interval(*by_speaker, by="speaker"))
    return tuple(interval for interval in found if interval)


def group_intervals(counts: Counts, members: Sequence[NDArray[np.bool_]]) -> list[Interval | None]:
    """Return each group's interval, None where it has fewer than FEWEST speakers or utterances.

    By speaker, unless the speakers are unknown or each group is one speaker's.
    """
    errors, lengths = _errors(counts), counts.words[:, 3]
    speakers = counts.speakers
    if speakers is None or all(len(np.unique(speakers[chosen])) < 2 for chosen in members):
        return [_unless_few(errors[chosen], lengths[chosen], by="utterance") for chosen in members]
    found = []
    for chosen in members:
        _, blocks = np.unique(speakers[chosen], return_inverse=True)
        found.append(_unless_few(*(by_block(blocks, column[chosen]) for column in (errors, lengths)), by="speaker"))
    return found


def _unless_few(errors: NDArray[np.integer], lengths: NDArray[np.integer], *, by: str) -> Interval | None:
    return rate_interval(errors, lengths, by=by) if len(errors) >= FEWEST else None


def _errors(counts: Counts) -> NDArray[np.int32]:
    errors: NDArray[np.int32] = counts.words[:, :3].sum(axis=1, dtype=np.int32)
    return errors
