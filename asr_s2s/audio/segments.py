"""Cuts a long recording into pieces that a model can take, where a cut costs least.

A cut inside a word costs words, a piece more costs time, and a piece of a second or two makes models invent text. So
all cuts are chosen together: dynamic programming finds the cheapest sequence of pieces, where a cut costs by how
speech-like its surroundings are, and a piece by how far it stays below the full length.
"""

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr_s2s.audio.resample import SAMPLE_RATE

FRAME_SECONDS = 0.01
NUM_FRAMES_AT_ONCE = 6000
CHOICE_SECONDS = 0.25  # in every stretch of this length the quietest frame is a place where a cut may be
PAUSE_SECONDS = (0.1, 0.3, 0.6)  # mean level over each: a longer pause is quiet in more of them
LEVEL_SECONDS = 20.0  # how far loudness is compared: a soft voice after a loud one is speech, not silence
QUIET_AND_LOUD = (2, 90)  # percentiles of the levels round about
RANGE_DB = (15.0, 35.0)  # less between loud and quiet is one steady sound; what lies lower still is no better a pause
SPEECH_CUT_COST = 30.0  # a cut in full speech, against 1 for a piece more
SHORT_PIECE_COST = 1.0  # a piece of no length, against 1 for a piece more


@dataclass(frozen=True, slots=True)
class SampleRange:
    """A piece of a recording: samples from start up to end."""

    start: int
    end: int


def cut_at_silences(
    samples: NDArray[np.float32], *, sample_rate: int = SAMPLE_RATE, max_seconds: float = 30.0
) -> list[SampleRange]:
    """Cut into pieces of at most max_seconds that cover every sample, as few and as full as good pauses allow.

    samples: (time,)
    returns: contiguous segments; none for no samples, one where no cut is needed
    """
    longest = int(max_seconds * sample_rate)
    assert longest >= 1, "a piece holds at least one sample"
    if len(samples) <= longest:
        return [SampleRange(0, len(samples))] if len(samples) else []
    frame = max(1, min(round(FRAME_SECONDS * sample_rate), longest // 16))
    frame_rate = sample_rate / frame
    level = _pause_levels(_frame_powers(samples, frame), frame_rate)
    places = _quietest(level, max(1, min(round(CHOICE_SECONDS * frame_rate), longest // frame // 4)))
    at = np.concatenate([[0], places * frame, [len(samples)]])
    cut_cost = np.concatenate([[0.0], _cut_costs(level, frame_rate)[places], [0.0]])
    cuts = _cheapest_cuts(at, cut_cost, longest=longest)
    return [SampleRange(int(at[i]), int(at[j])) for i, j in itertools.pairwise(cuts)]


def _frame_powers(samples: NDArray[np.float32], frame: int) -> NDArray[np.float64]:
    """Return the mean power of each frame's slope, a minute at a time; a last part frame is left out.

    The slope of a sound is free of offset and hum, and lifts the weak consonants that words end in.
    """
    num_frames = len(samples) // frame
    powers = np.empty(num_frames)
    for first in range(0, num_frames, NUM_FRAMES_AT_ONCE):
        last = min(first + NUM_FRAMES_AT_ONCE, num_frames)
        before = samples[max(first * frame - 1, 0)]
        slope = np.diff(samples[first * frame : last * frame].astype(np.float64), prepend=before)
        powers[first:last] = np.square(slope).reshape(-1, frame).mean(axis=1)
    return powers


def _pause_levels(powers: NDArray[np.float64], frame_rate: float) -> NDArray[np.float64]:
    """Return the loudness about the start of each frame in decibels: low in a pause, lower in a long one."""
    levels = [_decibels(_moving_mean(powers, round(seconds * frame_rate / 2))) for seconds in PAUSE_SECONDS]
    return np.asarray(np.mean(levels, axis=0))


def _cut_costs(level: NDArray[np.float64], frame_rate: float) -> NDArray[np.float64]:
    """Return the cost of a cut before each frame: 0 in the quietest pauses nearby, SPEECH_CUT_COST in loud speech."""
    quiet, loud = _local_percentiles(level, round(LEVEL_SECONDS * frame_rate), QUIET_AND_LOUD)
    height = np.clip((level - loud) / np.clip(loud - quiet, *RANGE_DB) + 1.0, 0.0, 1.0)
    return np.asarray(SPEECH_CUT_COST * np.square(height))


def _decibels(powers: NDArray[np.float64]) -> NDArray[np.float64]:
    return 10.0 * np.log10(np.maximum(powers, 1e-10))  # -100 dB: below the last bit of 16


def _moving_mean(values: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """Return the mean of the `reach` values before each point and the `reach` values from it on."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    point = np.arange(len(values))
    first, last = np.maximum(point - reach, 0), np.minimum(point + max(reach, 1), len(values))
    return np.asarray((sums[last] - sums[first]) / (last - first))


def _local_percentiles(
    level: NDArray[np.float64], reach: int, percents: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return two percentiles of the surroundings of each point, reckoned every half reach and drawn through."""
    centres = np.arange(0, len(level) + reach // 2, max(reach // 2, 1))
    at = [np.percentile(level[max(centre - reach, 0) : centre + reach], percents) for centre in centres]
    low, high = np.array(at).T
    point = np.arange(len(level))
    return np.interp(point, centres, low), np.interp(point, centres, high)


def _quietest(level: NDArray[np.float64], stretch: int) -> NDArray[np.intp]:
    """Return the quietest frame of every stretch; frame 0 is no cut."""
    whole = np.concatenate([level, np.full(-len(level) % stretch, np.inf)]).reshape(-1, stretch)
    places: NDArray[np.intp] = np.arange(len(whole)) * stretch + whole.argmin(axis=1)
    return places[places > 0]


def _cheapest_cuts(at: NDArray[np.intp], cut_cost: NDArray[np.float64], *, longest: int) -> list[int]:
    """Choose places from the first to the last so that no piece is too long and the sum of all costs is least."""
    best = np.full(len(at), math.inf)
    best[0] = 0.0
    came_from = np.zeros(len(at), dtype=np.intp)
    earliest = np.searchsorted(at, at - longest)  # the first place from which one piece reaches
    for j in range(1, len(at)):
        i = slice(earliest[j], j)
        fill = (at[j] - at[i]) / longest
        total = best[i] + 1.0 + SHORT_PIECE_COST * np.square(1.0 - fill)
        cheapest = int(total.argmin())
        came_from[j] = earliest[j] + cheapest
        best[j] = total[cheapest] + cut_cost[j]
    cuts = [len(at) - 1]
    while cuts[-1] > 0:
        cuts.append(int(came_from[cuts[-1]]))
    return cuts[::-1]
