"""Reasons to doubt a hypothesis, each a plain measurement against a threshold."""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from asr_s2s.search.hypothesis import Flag, Hypothesis
from asr_s2s.search.loops import loop_repeats

FAINT_SHARE = 0.02  # a stretch of frames that gets at most this share of all attention counts as not attended


@dataclass(frozen=True, slots=True)
class FlagThresholds:
    """Where a measured value becomes a flag."""

    loop_repeats: int
    min_coverage: float
    min_confidence: float
    max_no_speech: float


def with_flags(
    hypothesis: Hypothesis, thresholds: FlagThresholds, *, sound_length: int, no_speech: float | None
) -> Hypothesis:
    """Give the hypothesis with every flag that its own evidence raises.

    sound_length counts encoder frames; no_speech is the model's probability that nobody speaks, where it knows one
    """
    flags = []
    repeats = loop_repeats(hypothesis.tokens, least=thresholds.loop_repeats)
    if repeats:
        flags.append(Flag("loop", repeats))
    if not hypothesis.ended:
        flags.append(Flag("truncated", float(len(hypothesis.tokens))))
    coverage = None if hypothesis.attention is None else attention_coverage(hypothesis.attention, sound_length)
    if coverage is not None and coverage < thresholds.min_coverage:
        flags.append(Flag("low_coverage", coverage))
    confidence = mean_probability(hypothesis)
    if confidence < thresholds.min_confidence:
        flags.append(Flag("low_confidence", confidence))
        if no_speech is not None and no_speech > thresholds.max_no_speech:  # a sure text outweighs this doubt
            flags.append(Flag("no_speech", no_speech))
    return replace(hypothesis, flags=tuple(flags))


def mean_probability(hypothesis: Hypothesis) -> float:
    """Give the geometric mean of the probabilities of all tokens, the end token included where it was reached."""
    log_probs = [*hypothesis.token_log_probs]
    if hypothesis.end_log_prob is not None:
        log_probs.append(hypothesis.end_log_prob)
    return math.exp(sum(log_probs) / len(log_probs)) if log_probs else 1.0


def attention_coverage(attention: Tensor, sound_length: int) -> float:
    """Give the share of the sound outside the longest stretch of frames that (almost) no token attended to.

    attention: (token, time'). A hypothesis that stops early, or skips a part, leaves such a stretch; so does a long
    pause, which is why this is evidence and not proof. No tokens cover nothing.
    """
    if sound_length == 0:
        return 1.0
    mass = attention[:, :sound_length].sum(0).double()
    if float(mass.sum()) <= 0.0:
        return 0.0
    reached = torch.cat([mass.new_zeros(1), mass.cumsum(0)]) / mass.sum()
    # for each first frame, the last frame at which the stretch is still faint
    ends = torch.searchsorted(reached, reached + FAINT_SHARE, right=True) - 1
    longest = int((ends - torch.arange(len(reached), device=ends.device)).max())
    return 1.0 - longest / sound_length
