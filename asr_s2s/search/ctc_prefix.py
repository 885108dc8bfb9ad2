"""CTC's opinion of growing token sequences, for a joint search with an attention decoder.

A prefix's score is the log probability of all label sequences that begin with it, summed over their alignments
(Graves 2008, section 2.2 "prefix search"; Watanabe et al. 2017, "Hybrid CTC/attention architecture", algorithm 2).

Two things make it quick. What a new token adds needs no recursion over time: the prefix ends before some frame t and
the token is first said at t, so a matrix product over t scores the whole vocabulary. Only the few chosen prefixes need
new forward variables, and those recursions are linear, x[t] = (x[t-1] + y[t-1]) p[t], so that a cumulative sum solves
them: x[t] = P[t] * sum over s <= t of y[s-1] / P[s-1], where P is the running product of p.

Products are taken in float64, whose range (down to exp(-700) of the likeliest ending) no candidate worth keeping
leaves; running products in float64 logarithms, since they reach minus many thousands. The states are float32.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

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

    log_probs: Tensor
    probs: Tensor
    lengths: Tensor
    blank: int
    last: Tensor
    ends_in_label: Tensor
    ends_in_blank: Tensor

    @classmethod
    def start(cls, log_probs: Tensor, lengths: Tensor, *, blank: int) -> "CtcPrefixes":
        """Begin with the empty prefix of each utterance, from log probabilities (batch, time, vocabulary)."""
        batch, time, _ = log_probs.shape
        padding = torch.arange(time, device=log_probs.device) >= lengths.unsqueeze(1)
        log_probs = log_probs.float().clamp(min=IMPOSSIBLE).masked_fill(padding.unsqueeze(-1), IMPOSSIBLE)
        silent = torch.cat([log_probs.new_zeros(batch, 1), log_probs[..., blank].cumsum(-1)], dim=-1).unsqueeze(1)
        return cls(
            log_probs=log_probs.transpose(1, 2).contiguous(),
            probs=log_probs.double().exp(),
            lengths=lengths,
            blank=blank,
            last=lengths.new_full((batch, 1), blank),
            ends_in_label=torch.full_like(silent, IMPOSSIBLE),
            ends_in_blank=silent,
        )

    def whole(self) -> Tensor:
        """Give each prefix's log probability as the whole label sequence, (batch, beam)."""
        where = self.lengths.view(-1, 1, 1).expand(-1, self.last.shape[1], 1)
        ends = torch.logaddexp(self.ends_in_label.gather(-1, where), self.ends_in_blank.gather(-1, where))
        return _score(ends.squeeze(-1))

    def extended(self) -> Tensor:
        """Give each prefix's log probability with one more token, for every token: (batch, beam, vocabulary).

        The blank's column means nothing.
        """
        in_label, in_blank = self.ends_in_label[..., :-1].double(), self.ends_in_blank[..., :-1].double()
        top = torch.maximum(in_label, in_blank).amax(-1, keepdim=True)
        in_label, in_blank = (in_label - top).exp(), (in_blank - top).exp()
        new = (in_label + in_blank) @ self.probs
        # the last label once more: only after a blank that parts the two
        said = self.probs.gather(2, self.last.unsqueeze(1).expand(-1, self.probs.shape[1], -1)).transpose(1, 2)
        new = new.scatter(-1, self.last.unsqueeze(-1), (in_blank * said).sum(-1, keepdim=True))
        return _score((new.log() + top).float())

    def advance(self, beams: Tensor, tokens: Tensor) -> "CtcPrefixes":
        """Choose prefixes (batch, new beam) within each utterance and append one token to each."""
        rows = torch.arange(len(beams), device=beams.device).unsqueeze(1)
        in_label, in_blank = self.ends_in_label[rows, beams, :-1], self.ends_in_blank[rows, beams, :-1]
        repeated = (tokens == self.last[rows, beams]).unsqueeze(-1)
        before = torch.where(repeated, in_blank, torch.logaddexp(in_label, in_blank))
        ends_in_label = _recursion(before, self.log_probs[rows, tokens])
        ends_in_blank = _recursion(ends_in_label[..., :-1], self.log_probs[:, None, self.blank])
        return replace(self, last=tokens, ends_in_label=ends_in_label, ends_in_blank=ends_in_blank)

    def keep(self, utterances: Tensor) -> "CtcPrefixes":
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


def _score(log_prob: Tensor) -> Tensor:
    """Give all impossible sequences one score, whatever else was added to it on the way."""
    return log_prob.masked_fill(log_prob < IMPOSSIBLE / 2, IMPOSSIBLE)


def _recursion(inflow: Tensor, log_probs: Tensor) -> Tensor:
    """Solve x[t] = log(exp x[t-1] + exp inflow[t-1]) + log_probs[t] from x[0] = log 0, time along the last axis.

    inflow: (..., time), of t - 1; log_probs: (..., time), of t; returns: (..., time + 1), x[0] included
    """
    running = log_probs.double().cumsum(-1)
    before = running - log_probs.double()
    solved = running + torch.logcumsumexp(inflow.double() - before, dim=-1)
    return torch.nn.functional.pad(solved.float().clamp(min=IMPOSSIBLE), (1, 0), value=IMPOSSIBLE)
