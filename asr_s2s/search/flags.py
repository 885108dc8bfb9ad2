"""Reasons to doubt a hypothesis, each a plain measurement against a threshold."""

import math
from dataclasses import dataclass, replace

from asr_s2s.search.hypothesis import Flag, Hypothesis
from asr_s2s.search.loops import loop_repeats


@dataclass(frozen=True, slots=True)
class FlagThresholds:
    """Where a measured value becomes a flag."""

    loop_repeats: int
    min_confidence: float
    max_no_speech: float


def with_flags(hypothesis: Hypothesis, thresholds: FlagThresholds, *, no_speech: float | None) -> Hypothesis:
    """Return the hypothesis with every flag that its own evidence raises; low_coverage needs a detector of speech.

    no_speech is the model's probability that nobody speaks, where it knows one
    """
    flags = []
    repeats = loop_repeats(hypothesis.tokens, least=thresholds.loop_repeats)
    if repeats:
        flags.append(Flag("loop", repeats))
    if not hypothesis.ended:
        flags.append(Flag("truncated", float(len(hypothesis.tokens))))
    confidence = mean_probability(hypothesis)
    if confidence < thresholds.min_confidence:
        flags.append(Flag("low_confidence", confidence))
        if no_speech is not None and no_speech > thresholds.max_no_speech:  # a sure text outweighs this doubt
            flags.append(Flag("no_speech", no_speech))
    return replace(hypothesis, flags=tuple(flags))


def mean_probability(hypothesis: Hypothesis) -> float:
    """Return the geometric mean of the probabilities of all tokens, the end token included where it was reached."""
    log_probs = [*hypothesis.token_log_probs]
    if hypothesis.end_log_prob is not None:
        log_probs.append(hypothesis.end_log_prob)
    return math.exp(sum(log_probs) / len(log_probs)) if log_probs else 1.0
