"""Beam search over a batch: several hypotheses per utterance grow side by side, scored by decoder and CTC.

With a beam of one it is greedy search: the most probable next token, again and again.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr_s2s.engine.protocol import Encoding, Engine, LogProbs, Scores, TokenRules, Tokens
from asr_s2s.search.ctc_prefix import CtcPrefixes
from asr_s2s.search.external_scorer import ExternalScorer
from asr_s2s.search.growing import Candidates, Growing
from asr_s2s.search.hypothesis import Hypothesis
from asr_s2s.search.loops import LoopGuard
from asr_s2s.search.outcome import Outcome
from asr_s2s.search.ranking import Ranking

LEAVING = 0.25  # share: to drop utterances copies what is remembered of the others, which costs about as much as a step


class Beam:
    """Grows a beam; utterances leave the batch when they are settled, some at a time.

    A hypothesis finishes when its end is among the `beam` best candidates. An utterance is settled when `enough`
    hypotheses have finished (Whisper's patience), when no growing one can beat the best finished one any more, at its
    length bound, or empty where the end is the best first candidate: whether anything was said is no matter of length.
    One cut by the bound is given only if none finished, or none that is nearly as probable per token.
    """

    def __init__(
        self,
        engine: Engine[Any],
        rules: TokenRules,
        *,
        beam: int,
        enough: int,
        ranking: Ranking,
        forbidden_repeats: int | None = None,
        scorers: Sequence[ExternalScorer] = (),
    ) -> None:
        self._engine, self._rules = engine, rules
        self._beam, self._enough, self._ranking = beam, enough, ranking
        self._forbidden_repeats = forbidden_repeats
        self._scorers = tuple(scorers)
        self._most_gain = sum(each.most_gain for each in scorers)
        every = engine.vocabulary_size
        self._tokens_tried = every if ranking.ctc_weight else min(2 * beam, every)

    def grow(self, encoding: Encoding, state: Any, limits: list[int]) -> list[Hypothesis]:
        """Extend all hypotheses by one token at a time until every utterance is settled."""
        outcomes = [Outcome(limit) for limit in limits]
        growing = self._start(state, encoding)
        for length in itertools.count():
            scores, state = self._engine.step(
                growing.newest, growing.state, forbidden=self._rules.forbidden(first=length == 0)
            )
            candidates = self._candidates(growing, scores, length=length)
            is_end = candidates.tokens == self._rules.end_token
            self._note_ended(growing, candidates, is_end, outcomes, length=length)
            chosen = candidates.pick(np.argsort(is_end, axis=1, kind="stable")[:, : self._beam])
            chosen.totals[chosen.tokens == self._rules.end_token] = -np.inf
            going_on = self._going_on(growing, chosen.totals.max(axis=1).tolist(), outcomes, length=length)
            if not going_on:
                break
            growing = growing.advance(self._engine, state, chosen)
            if len(going_on) <= (1 - LEAVING) * len(growing.utterances):
                growing = growing.keep(self._engine, going_on)
        return [outcome.best for outcome in outcomes if outcome.best is not None]

    def _start(self, state: Any, encoding: Encoding) -> Growing:
        batch, newest = len(encoding), self._rules.start_tokens[-1]
        ctc = guard = None
        if self._ranking.ctc_weight:
            assert self._rules.blank_token is not None, "build_search refuses it"
            log_probs = self._engine.ctc_log_probs(encoding)
            ctc = CtcPrefixes.start(log_probs, encoding.lengths, blank=self._rules.blank_token)
        if self._forbidden_repeats is not None:
            guard = LoopGuard.start(batch, repeats=self._forbidden_repeats)
        scorer_states = tuple(each.start(batch, start_token=newest) for each in self._scorers)
        return Growing.start(state, batch=batch, newest=newest, ctc=ctc, guard=guard, scorer_states=scorer_states)

    def _candidates(self, growing: Growing, scores: Scores, *, length: int) -> Candidates:
        """Score the most probable next tokens of each hypothesis, and the end; sort by total, ties by beam and token.

        Without CTC, a hypothesis's own best tokens are enough to try; with it, all are.
        """
        end = self._rules.end_token
        gains = self._gains(growing)
        tokens, tried = self._tried(scores, growing.newest.shape, gains)
        ends = np.full((*tokens.shape[:-1], 1), end)
        tried = np.concatenate([np.where(tokens == end, -np.inf, tried), scores.at(ends)], axis=-1)
        ctc = None
        if growing.ctc is not None:
            extended = np.take_along_axis(growing.ctc.extended(), tokens, -1)
            ctc = np.concatenate([extended, growing.ctc.whole()[..., None]], axis=-1)
        tokens = np.concatenate([tokens, ends], axis=-1)  # the end is tried always, and once
        if growing.guard is not None:
            tried = growing.guard.forbid(tokens, tried)
        totals = self._ranking.totals(growing.attended[..., None] + tried, ctc, lengths=length + (tokens != end))
        for each in growing.scorer_states:
            totals = totals + each.totals[..., None] + np.take_along_axis(each.gains, tokens, -1)
        totals = totals.reshape(len(totals), -1)
        # at most `beam` of so many are ends, so that enough can grow
        order = np.argsort(-totals, axis=1, kind="stable")[:, : 2 * self._beam]
        return Candidates(
            totals=np.take_along_axis(totals, order, 1),
            beams=order // tokens.shape[-1],
            tokens=np.take_along_axis(tokens.reshape(len(totals), -1), order, 1),
            log_probs=np.take_along_axis(tried.reshape(len(totals), -1), order, 1),
        )

    def _gains(self, growing: Growing) -> LogProbs | None:
        """Join what others add to the next tokens, (batch, beam, vocabulary); None where nobody adds anything."""
        gains = [each.gains for each in growing.scorer_states]
        if growing.guard is not None and growing.guard.stands:
            gains.append(growing.guard.penalties(self._engine.vocabulary_size))
        return sum(gains[1:], start=gains[0]) if gains else None

    def _tried(
        self, scores: Scores, shape: tuple[int, ...], gains: LogProbs | None
    ) -> tuple[Tokens, NDArray[np.float64]]:
        """Choose the next tokens to try, in ascending order, and their log probabilities: (batch, beam, token) both."""
        if self._tokens_tried == self._engine.vocabulary_size:
            tokens = np.broadcast_to(np.arange(self._tokens_tried), (*shape, self._tokens_tried))
            return tokens, scores.at(tokens).astype(np.float64)
        log_probs, tokens = scores.top(self._tokens_tried, gains=gains)
        order = np.argsort(tokens, axis=-1)
        return np.take_along_axis(tokens, order, -1), np.take_along_axis(log_probs, order, -1).astype(np.float64)

    def _note_ended(
        self,
        growing: Growing,
        candidates: Candidates,
        is_end: NDArray[np.bool_],
        outcomes: list[Outcome],
        *,
        length: int,
    ) -> None:
        """Count the hypotheses whose end is among the best candidates, and note each utterance's best."""
        ended = is_end & (candidates.totals > -np.inf)
        for row, rank in np.argwhere(ended[:, : self._beam]).tolist():
            outcome = outcomes[growing.utterances[row]]
            if outcome.settled:
                continue
            outcome.count += 1
            total = float(candidates.totals[row, rank])
            value = self._ranking.final(total, length)
            outcome.is_empty = length == rank == 0
            if value > outcome.value:
                slot, log_prob = int(candidates.beams[row, rank]), float(candidates.log_probs[row, rank])
                outcome.note(growing, row, slot, total=total, value=value, end_log_prob=log_prob)

    def _going_on(
        self, growing: Growing, best_totals: list[float], outcomes: list[Outcome], *, length: int
    ) -> list[int]:
        """Settle what can be, at the bound perhaps with the best cut hypothesis, and give the rows that are not."""
        going_on = []
        for row, (utterance, total) in enumerate(zip(growing.utterances, best_totals, strict=True)):
            outcome = outcomes[utterance]
            if outcome.settled:
                continue
            at_bound = length >= outcome.limit or total == -np.inf
            enough = outcome.count >= self._enough
            if at_bound and not enough:
                self._note_cut(growing, row, outcome, length=length)
            possible = self._ranking.best_possible(total, length + 1, limit=outcome.limit, gain=self._most_gain)
            beaten = possible <= outcome.value
            outcome.settled = at_bound or enough or beaten or outcome.is_empty
            if not outcome.settled:
                going_on.append(row)
        return going_on

    def _note_cut(self, growing: Growing, row: int, outcome: Outcome, *, length: int) -> None:
        slot = int(growing.totals[row].argmax())
        total = float(growing.totals[row, slot])
        best = outcome.best
        if best is None or self._ranking.cut_wins(total, length, ended=best.score, ended_length=len(best.tokens)):
            outcome.note(growing, row, slot, total=total, value=self._ranking.final(total, length), end_log_prob=None)
