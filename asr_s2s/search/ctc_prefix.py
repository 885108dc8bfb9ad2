"""CTC's opinion of growing token sequences, for a joint search with an attention decoder.

A prefix's score is the log probability of all label sequences that begin with it, summed over their alignments
(Graves 2008, section 2.2 "prefix search"; Watanabe et al. 2017, "Hybrid CTC/attention architecture", algorithm 2).

Two things make it quick. What a new token adds needs no recursion over time: the prefix ends before some frame t and
the token begins at t, so a matrix product over t scores the whole vocabulary. Only the few chosen prefixes need
new forward variables, and those recursions are linear, x[t] = (x[t-1] + y[t-1]) p[t], so that a cumulative sum solves
them: x[t] = P[t] * sum over s <= t of y[s-1] / P[s-1], where P is the running product of p.

Products are taken in float64, whose range (down to exp(-700) of the likeliest ending) no candidate worth keeping
leaves; running products in float64 logarithms, since they reach minus many thousands. The states are float32.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from asr_s2s.engine.protocol import LogProbs, Tokens

IMPOSSIBLE = -1.0e6  # stands for log 0: far below any true score, yet finite, so that differences stay numbers


@dataclass(frozen=True, slots=True)
class CtcPrefixes:
    """A batch of prefixes, some per utterance, with their forward variables; every method gives new values.

    log_probs: (batch, vocabulary, time), time last so that a token's frames lie together; IMPOSSIBLE beyond each length
    probs: (batch, time, vocabulary), float64, zero beyond each length
    lengths: (batch,), frames
    blank: CTC's blank token
    last: (batch, beam), each prefix's newest token; the blank where it is empty
    ends_in_label, ends_in_blank: (batch, beam, time + 1), log probability that the first t frames spell the prefix
        and that frame t is its last label, or blank
    """

    log_probs: LogProbs
    probs: NDArray[np.float64]
    lengths: NDArray[np.int64]
    blank: int
    last: Tokens
    ends_in_label: LogProbs
    ends_in_blank: LogProbs

    @classmethod
    def start(cls, log_probs: LogProbs, lengths: NDArray[np.int64], *, blank: int) -> "CtcPrefixes":
        """Begin with the empty prefix of each utterance, from log probabilities (batch, time, vocabulary)."""
        batch, time, _ = log_probs.shape
        padding = np.arange(time) >= lengths[:, None]
        log_probs = np.where(padding[..., None], np.float32(IMPOSSIBLE), np.maximum(log_probs, np.float32(IMPOSSIBLE)))
        silent = np.zeros((batch, 1, time + 1), np.float32)
        silent[:, 0, 1:] = log_probs[..., blank].cumsum(axis=-1)
        return cls(
            log_probs=np.ascontiguousarray(log_probs.transpose(0, 2, 1)),
            probs=np.exp(log_probs.astype(np.float64)),
            lengths=lengths,
            blank=blank,
            last=np.full((batch, 1), blank),
            ends_in_label=np.full_like(silent, IMPOSSIBLE),
            ends_in_blank=silent,
        )

    def whole(self) -> LogProbs:
        """Return each prefix's log probability as the whole label sequence, (batch, beam)."""
        where = np.broadcast_to(self.lengths[:, None, None], (*self.last.shape, 1))
        ends = (np.take_along_axis(part, where, -1) for part in (self.ends_in_label, self.ends_in_blank))
        return _score(np.logaddexp(*ends)[..., 0])

    def extended(self) -> LogProbs:
        """Return each prefix's log probability with one more token, for every token: (batch, beam, vocabulary).

        The blank's column means nothing.
        """
        in_label, in_blank = (part[..., :-1].astype(np.float64) for part in (self.ends_in_label, self.ends_in_blank))
        top = np.maximum(in_label, in_blank).max(axis=-1, keepdims=True)
        in_label, in_blank = np.exp(in_label - top), np.exp(in_blank - top)
        new = (in_label + in_blank) @ self.probs
        # the last label once more: only after a blank that parts the two
        repeated = np.take_along_axis(self.probs, self.last[:, None, :], 2).transpose(0, 2, 1)
        np.put_along_axis(new, self.last[..., None], (in_blank * repeated).sum(axis=-1, keepdims=True), -1)
        with np.errstate(divide="ignore"):
            return _score((np.log(new) + top).astype(np.float32))

    def advance(self, beams: Tokens, tokens: Tokens) -> "CtcPrefixes":
        """Choose prefixes (batch, new beam) within each utterance and append one token to each."""
        rows = np.arange(len(beams))[:, None]
        in_label, in_blank = self.ends_in_label[rows, beams, :-1], self.ends_in_blank[rows, beams, :-1]
        repeated = (tokens == self.last[rows, beams])[..., None]
        before = np.where(repeated, in_blank, np.logaddexp(in_label, in_blank))
        ends_in_label = _recursion(before, self.log_probs[rows, tokens])
        ends_in_blank = _recursion(ends_in_label[..., :-1], self.log_probs[:, None, self.blank])
        return replace(self, last=tokens, ends_in_label=ends_in_label, ends_in_blank=ends_in_blank)

    def keep(self, utterances: Tokens) -> "CtcPrefixes":
        """Keep only some utterances of the batch."""
        return CtcPrefixes(
            log_probs=self.log_probs[utterances],
            probs=self.probs[utterances],
            lengths=self.lengths[utterances],
            blank=self.blank,
            last=self.last[utterances],
            ends_in_label=self.ends_in_label[utterances],
            ends_in_blank=self.ends_in_blank[utterances],
        )


def _score(log_prob: LogProbs) -> LogProbs:
    """Set all impossible sequences to one score, whatever else was added to it on the way."""
    return np.where(log_prob < IMPOSSIBLE / 2, np.float32(IMPOSSIBLE), log_prob)


def _recursion(inflow: LogProbs, log_probs: LogProbs) -> LogProbs:
    """Solve x[t] = log(exp x[t-1] + exp inflow[t-1]) + log_probs[t] from x[0] = log 0, time along the last axis.

    inflow: (..., time), of t - 1; log_probs: (..., time), of t; returns: (..., time + 1), x[0] included
    """
    steps = log_probs.astype(np.float64)
    running = steps.cumsum(axis=-1)
    solved = np.full((*inflow.shape[:-1], inflow.shape[-1] + 1), IMPOSSIBLE, np.float32)
    solved[..., 1:] = np.maximum(running + np.logaddexp.accumulate(inflow - (running - steps), axis=-1), IMPOSSIBLE)
    return solved
