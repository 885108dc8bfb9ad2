"""Beam search over a batch: several hypotheses per utterance grow side by side, scored by decoder and CTC."""

import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from asr_s2s.search.advice import Adviser
from asr_s2s.search.ctc_prefix import CtcPrefixes
from asr_s2s.search.flags import FlagThresholds
from asr_s2s.search.growing import Candidates, Growing
from asr_s2s.search.hypothesis import Hypothesis
from asr_s2s.search.loops import LoopGuard
from asr_s2s.search.opening import open_search
from asr_s2s.search.outcome import AttentionLog, Outcome
from asr_s2s.search.protocol import Recognizable, worth_leaving
from asr_s2s.search.ranking import Ranking
from asr_s2s.search.rules import LengthBound, TokenRules, allowed_log_probs


class BeamSearch:
    """Beam search; utterances leave the batch when they are settled, some at a time.

    A hypothesis finishes when its end is among the `beam` best candidates. An utterance is settled when `patience` x
    beam hypotheses have finished (Whisper's rule), when no growing one can beat the best finished one any more, at its
    length bound, or empty where the end is the best first candidate: whether anything was said is no matter of length.
    One cut by the bound is given only if none finished, or none that is nearly as probable per token.
    """

    def __init__(
        self,
        model: Recognizable,
        rules: TokenRules,
        *,
        beam: int,
        ranking: Ranking,
        bound: LengthBound,
        thresholds: FlagThresholds,
        patience: float = 1.0,
        forbid_loops: bool = False,
        advisers: Sequence[Adviser] = (),
    ) -> None:
        self.model = model
        self.rules = rules
        self.beam = beam
        self.ranking = ranking
        self.bound = bound
        self.thresholds = thresholds
        self.forbid_loops = forbid_loops
        self.advisers = tuple(advisers)
        self.enough = max(1, round(beam * patience))
        every = model.decoder.vocabulary_size
        self.tokens_tried = every if ranking.ctc_weight else min(2 * beam, every)

    @torch.inference_mode()
    def __call__(
        self,
        encoder_out: Tensor,
        encoder_lengths: Tensor,
        *,
        sound_lengths: Tensor | None = None,
        with_attention: bool = False,
    ) -> list[Hypothesis]:
        """Give the best hypothesis of each utterance; see the protocol `Search`."""
        if len(encoder_out) == 0:
            return []
        opening = open_search(
            self.model,
            self.rules,
            self.bound,
            encoder_out=encoder_out,
            encoder_lengths=encoder_lengths,
            sound_lengths=sound_lengths,
        )
        outcomes = [Outcome(limit) for limit in opening.limits]
        attention = AttentionLog()
        growing = self._start(opening.state, encoder_out, encoder_lengths)
        self._grow(growing, outcomes, attention if with_attention else None)
        hypotheses = []
        for utterance, (outcome, length) in enumerate(zip(outcomes, encoder_lengths.tolist(), strict=True)):
            assert outcome.best is not None  # every utterance is settled with a hypothesis
            hypotheses.append(attention.attach(outcome.best, utterance, outcome.slots, frames=length))
        return opening.flagged(hypotheses, self.thresholds)

    def _start(self, state: Any, encoder_out: Tensor, encoder_lengths: Tensor) -> Growing:
        batch, device = len(encoder_out), encoder_out.device
        ctc = guard = None
        if self.ranking.ctc_weight:
            assert self.rules.blank_token is not None  # SearchConfig.build refuses it
            log_probs = self.model.ctc_log_probs(encoder_out)
            ctc = CtcPrefixes.start(log_probs, encoder_lengths, blank=self.rules.blank_token)
        if self.forbid_loops:
            guard = LoopGuard.start(batch, repeats=self.thresholds.loop_repeats, device=device)
        newest = self.rules.start_tokens[-1]
        advice = tuple(each.advise(batch, start_token=newest, device=device) for each in self.advisers)
        return Growing.start(state, batch=batch, newest=newest, ctc=ctc, guard=guard, advice=advice, device=device)

    def _grow(self, growing: Growing, outcomes: list[Outcome], attention: AttentionLog | None) -> None:
        """Extend all hypotheses by one token at a time until every utterance is settled."""
        for length in itertools.count():
            output = self.model.decoder.step(growing.newest, growing.state, with_attention=attention is not None)
            if attention is not None and output.attention is not None:
                attention.note(growing.utterances, output.attention)
            candidates = self._candidates(growing, output.logits, length=length)
            is_end = candidates.tokens == self.rules.end_token
            self._note_ended(growing, candidates, is_end, outcomes, length=length)
            chosen = candidates.pick(is_end.byte().argsort(dim=1, stable=True)[:, : self.beam])
            chosen.totals.masked_fill_(chosen.tokens == self.rules.end_token, -torch.inf)
            going_on = self._going_on(growing, chosen.totals.amax(1).tolist(), outcomes, length=length)
            if not going_on:
                return
            growing = growing.advance(self.model.decoder, output.state, chosen)
            if worth_leaving(len(going_on), len(growing.utterances)):
                growing = growing.keep(self.model.decoder, going_on)

    def _candidates(self, growing: Growing, logits: Tensor, *, length: int) -> Candidates:
        """Score the most probable next tokens of each hypothesis, and the end; sort by total, ties by beam and token.

        Without CTC, a hypothesis's own best tokens are enough to try; with it, all are.
        """
        log_probs = allowed_log_probs(logits, self.rules, first=length == 0)
        if growing.guard is not None:
            log_probs = growing.guard.forbid(log_probs)
        gains = [each.gains.to(log_probs.device) for each in growing.advice]
        preferred = sum(gains, start=log_probs)
        tokens = preferred.topk(self.tokens_tried, dim=-1).indices.sort(dim=-1).values
        ends = tokens.new_full((*tokens.shape[:-1], 1), self.rules.end_token)
        tried = log_probs.gather(-1, tokens).masked_fill(tokens == self.rules.end_token, -torch.inf)
        tried = torch.cat([tried, log_probs.gather(-1, ends)], dim=-1)  # the end is tried always, and once
        ctc = None
        if growing.ctc is not None:
            ctc = torch.cat([growing.ctc.extended().gather(-1, tokens), growing.ctc.whole().unsqueeze(-1)], dim=-1)
        tokens = torch.cat([tokens, ends], dim=-1)
        lengths = length + (tokens != self.rules.end_token).float()
        totals = self.ranking.totals(growing.attended.unsqueeze(-1) + tried, ctc, lengths=lengths)
        for each, gained in zip(growing.advice, gains, strict=True):
            totals = totals + each.totals.to(totals.device).unsqueeze(-1) + gained.gather(-1, tokens)
        totals, order = totals.flatten(1).sort(dim=1, descending=True, stable=True)
        order = order[:, : 2 * self.beam]  # at most `beam` of these are ends, so that enough can grow
        return Candidates(
            totals=totals[:, : 2 * self.beam],
            beams=order // tokens.shape[-1],
            tokens=tokens.flatten(1).gather(1, order),
            log_probs=tried.flatten(1).gather(1, order),
        )

    def _note_ended(
        self, growing: Growing, candidates: Candidates, is_end: Tensor, outcomes: list[Outcome], *, length: int
    ) -> None:
        """Count the hypotheses whose end is among the best candidates, and note each utterance's best."""
        ended = is_end & (candidates.totals > -torch.inf)
        for row, rank in ended[:, : self.beam].nonzero().tolist():
            outcome = outcomes[growing.utterances[row]]
            if outcome.settled:
                continue
            outcome.count += 1
            total = float(candidates.totals[row, rank])
            value = self.ranking.final(total, length)
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
            at_bound = length >= outcome.limit or total == -torch.inf
            enough = outcome.count >= self.enough
            if at_bound and not enough:
                self._note_cut(growing, row, outcome, length=length)
            beaten = self.ranking.best_possible(total, length + 1, limit=outcome.limit) <= outcome.value
            outcome.settled = at_bound or enough or beaten or outcome.is_empty
            if not outcome.settled:
                going_on.append(row)
        return going_on

    def _note_cut(self, growing: Growing, row: int, outcome: Outcome, *, length: int) -> None:
        slot = int(growing.totals[row].argmax())
        total = float(growing.totals[row, slot])
        best = outcome.best
        if best is None or self.ranking.cut_wins(total, length, ended=best.score, ended_length=len(best.tokens)):
            outcome.note(growing, row, slot, total=total, value=self.ranking.final(total, length), end_log_prob=None)
