"""The hypotheses of a beam search while they grow, all utterances of a batch side by side."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr_s2s.engine.protocol import LogProbs, NextTokens, Tokens
from asr_s2s.search.ctc_prefix import CtcPrefixes
from asr_s2s.search.external_scorer import ScorerState
from asr_s2s.search.loops import LoopGuard


@dataclass(frozen=True, slots=True)
class Candidates:
    """Hypotheses longer by one token, best first, (batch, candidate): their totals and what they are made of."""

    totals: NDArray[np.float64]
    beams: Tokens
    tokens: Tokens
    log_probs: NDArray[np.float64]

    def pick(self, order: Tokens) -> "Candidates":
        """Gather columns (batch, new candidate)."""
        return Candidates(
            totals=np.take_along_axis(self.totals, order, 1),
            beams=np.take_along_axis(self.beams, order, 1),
            tokens=np.take_along_axis(self.tokens, order, 1),
            log_probs=np.take_along_axis(self.log_probs, order, 1),
        )


@dataclass(frozen=True, slots=True)
class Growing:
    """Arrays are (batch, beam, ...) over the utterances that are not settled; every method gives new values.

    utterances: their places in the batch that the search was given
    newest: the token to feed next; tokens, log_probs: (batch, beam, token), what was chosen so far
    attended: the decoder's log probability of all tokens
    totals: what hypotheses are ranked by, minus infinity in unused places
    """

    utterances: list[int]
    newest: Tokens
    tokens: Tokens
    log_probs: LogProbs
    attended: NDArray[np.float64]
    totals: NDArray[np.float64]
    state: Any
    ctc: CtcPrefixes | None
    guard: LoopGuard | None
    scorer_states: tuple[ScorerState, ...]

    @classmethod
    def start(
        cls,
        state: Any,
        *,
        batch: int,
        newest: int,
        ctc: CtcPrefixes | None,
        guard: LoopGuard | None,
        scorer_states: tuple[ScorerState, ...],
    ) -> "Growing":
        """Begin with one empty hypothesis per utterance, whose last start token is still to be fed."""
        return cls(
            utterances=list(range(batch)),
            newest=np.full((batch, 1), newest),
            tokens=np.zeros((batch, 1, 0), np.int64),
            log_probs=np.zeros((batch, 1, 0), np.float32),
            attended=np.zeros((batch, 1)),
            totals=np.zeros((batch, 1)),
            state=state,
            ctc=ctc,
            guard=guard,
            scorer_states=scorer_states,
        )

    def advance(self, engine: NextTokens[Any], state: Any, chosen: Candidates) -> "Growing":
        """Go on with the chosen candidates; state is the engine's after the step that scored them."""
        beams, newest = chosen.beams, chosen.tokens
        rows = np.arange(len(beams))[:, None]
        stay = beams.shape == self.newest.shape and bool((beams == np.arange(beams.shape[1])).all())
        attended = np.take_along_axis(self.attended, beams, 1) + chosen.log_probs
        return Growing(
            utterances=self.utterances,
            newest=newest,
            tokens=np.concatenate([self.tokens[rows, beams], newest[..., None]], axis=2),
            log_probs=np.concatenate(
                [self.log_probs[rows, beams], chosen.log_probs[..., None]], axis=2, dtype=np.float32
            ),
            attended=np.where(chosen.totals == -np.inf, -np.inf, attended),
            totals=chosen.totals,
            state=state if stay else engine.reorder(state, beams),
            ctc=None if self.ctc is None else self.ctc.advance(beams, newest),
            guard=None if self.guard is None else self.guard.advance(beams, newest),
            scorer_states=tuple(each.advance(beams, newest) for each in self.scorer_states),
        )

    def keep(self, engine: NextTokens[Any], utterances: list[int]) -> "Growing":
        """Keep only some utterances of the batch."""
        kept = np.asarray(utterances)
        return replace(
            self,
            utterances=[self.utterances[row] for row in utterances],
            newest=self.newest[kept],
            tokens=self.tokens[kept],
            log_probs=self.log_probs[kept],
            attended=self.attended[kept],
            totals=self.totals[kept],
            state=engine.keep(self.state, kept),
            ctc=None if self.ctc is None else self.ctc.keep(kept),
            guard=None if self.guard is None else self.guard.keep(kept),
            scorer_states=tuple(each.keep(kept) for each in self.scorer_states),
        )
