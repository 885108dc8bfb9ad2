"""The hypotheses of a beam search while they grow, all utterances of a batch side by side."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from asr_s2s.models.decoders.protocol import Decoder
from asr_s2s.search.advice import Advice
from asr_s2s.search.ctc_prefix import CtcPrefixes
from asr_s2s.search.loops import LoopGuard
from asr_s2s.search.paths import Paths


@dataclass(frozen=True, slots=True)
class Candidates:
    """Hypotheses longer by one token, best first, (batch, candidate): their totals and what they are made of."""

    totals: Tensor
    beams: Tensor
    tokens: Tensor
    log_probs: Tensor

    def pick(self, order: Tensor) -> "Candidates":
        """Gather columns (batch, new candidate)."""
        return Candidates(*(part.gather(1, order) for part in (self.totals, self.beams, self.tokens, self.log_probs)))


@dataclass(frozen=True, slots=True)
class Growing:
    """Tensors are (batch, beam, ...) over the utterances that are not settled; every method gives new values.

    utterances: their places in the batch that the search was given
    newest: the token to feed next; attended: the decoder's log probability of all tokens
    totals: what hypotheses are ranked by, minus infinity in unused places
    """

    utterances: list[int]
    newest: Tensor
    attended: Tensor
    totals: Tensor
    paths: Paths
    state: Any
    ctc: CtcPrefixes | None
    guard: LoopGuard | None
    advice: tuple[Advice, ...]

    @classmethod
    def start(
        cls,
        state: Any,
        *,
        batch: int,
        newest: int,
        ctc: CtcPrefixes | None,
        guard: LoopGuard | None,
        advice: tuple[Advice, ...],
        device: torch.device,
    ) -> "Growing":
        """Begin with one empty hypothesis per utterance, whose last start token is still to be fed."""
        zeros = torch.zeros(batch, 1, device=device)
        return cls(
            utterances=list(range(batch)),
            newest=torch.full((batch, 1), newest, device=device),
            attended=zeros,
            totals=zeros,
            paths=Paths.start(batch, device=device),
            state=state,
            ctc=ctc,
            guard=guard,
            advice=advice,
        )

    def advance(self, decoder: Decoder[Any], state: Any, chosen: Candidates) -> "Growing":
        """Go on with the chosen candidates; state is the decoder's after the step that scored them."""
        attended = self.attended.gather(1, chosen.beams) + chosen.log_probs
        return Growing(
            utterances=self.utterances,
            newest=chosen.tokens,
            attended=attended.masked_fill(chosen.totals == -torch.inf, -torch.inf),
            totals=chosen.totals,
            paths=self.paths.advance(chosen.beams, chosen.tokens, chosen.log_probs),
            state=decoder.reorder(state, chosen.beams),
            ctc=None if self.ctc is None else self.ctc.advance(chosen.beams, chosen.tokens),
            guard=None if self.guard is None else self.guard.advance(chosen.beams, chosen.tokens),
            advice=tuple(each.advance(chosen.beams, chosen.tokens) for each in self.advice),
        )

    def keep(self, decoder: Decoder[Any], rows: list[int]) -> "Growing":
        """Keep only some utterances of the batch."""
        kept = torch.tensor(rows, device=self.newest.device)
        return Growing(
            utterances=[self.utterances[row] for row in rows],
            newest=self.newest[kept],
            attended=self.attended[kept],
            totals=self.totals[kept],
            paths=self.paths.keep(kept),
            state=decoder.keep(self.state, kept),
            ctc=None if self.ctc is None else self.ctc.keep(kept),
            guard=None if self.guard is None else self.guard.keep(kept),
            advice=tuple(each.keep(kept) for each in self.advice),
        )
