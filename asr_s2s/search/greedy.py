"""The most probable next token, again and again, for a batch of utterances."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from asr_s2s.search.flags import FlagThresholds
from asr_s2s.search.hypothesis import Hypothesis
from asr_s2s.search.loops import LoopGuard
from asr_s2s.search.opening import open_search
from asr_s2s.search.protocol import Recognizable, worth_leaving
from asr_s2s.search.rules import LengthBound, TokenRules, allowed_log_probs


@dataclass(slots=True)
class _Line:
    """One utterance's hypothesis while it grows."""

    limit: int
    tokens: list[int] = field(default_factory=list)
    log_probs: list[float] = field(default_factory=list)
    attention: list[Tensor] = field(default_factory=list)
    end_log_prob: float | None = None
    settled: bool = False


class GreedySearch:
    """Greedy search; utterances that ended or reached their length bound leave the batch, some at a time.

    length_bonus is what the end token must beat the best other token by; forbid_loops keeps hypotheses out of loops.
    """

    def __init__(
        self,
        model: Recognizable,
        rules: TokenRules,
        *,
        bound: LengthBound,
        thresholds: FlagThresholds,
        length_bonus: float = 0.0,
        forbid_loops: bool = False,
    ) -> None:
        self.model = model
        self.rules = rules
        self.bound = bound
        self.thresholds = thresholds
        self.length_bonus = length_bonus
        self.forbid_loops = forbid_loops

    @torch.inference_mode()
    def __call__(
        self,
        encoder_out: Tensor,
        encoder_lengths: Tensor,
        *,
        sound_lengths: Tensor | None = None,
        with_attention: bool = False,
    ) -> list[Hypothesis]:
        """Give one hypothesis per utterance; see the protocol `Search`."""
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
        lines = [_Line(limit) for limit in opening.limits]
        self._grow(lines, opening.state, device=encoder_out.device, with_attention=with_attention)
        lengths = encoder_lengths.tolist()
        found = (self._hypothesis(line, length, with_attention) for line, length in zip(lines, lengths, strict=True))
        return opening.flagged(found, self.thresholds)

    def _grow(self, lines: list[_Line], state: Any, *, device: torch.device, with_attention: bool) -> None:
        """Append tokens to every line until all have ended."""
        decoder = self.model.decoder
        tokens = torch.full((len(lines), 1), self.rules.start_tokens[-1], device=device)
        guard = None
        if self.forbid_loops:
            guard = LoopGuard.start(len(lines), repeats=self.thresholds.loop_repeats, device=device)
        growing = lines
        first = True
        while True:
            output = decoder.step(tokens, state, with_attention=with_attention)
            state = output.state
            log_probs = allowed_log_probs(output.logits, self.rules, first=first)
            if guard is not None:
                log_probs = guard.forbid(log_probs)
            tokens, chosen = self._choose(log_probs)
            _append(growing, tokens, chosen, output.attention, end_token=self.rules.end_token)
            if guard is not None:
                guard = guard.advance(torch.zeros_like(tokens), tokens)
            first = False
            going_on = [index for index, line in enumerate(growing) if not line.settled]
            if not going_on:
                return
            if worth_leaving(len(going_on), len(growing)):
                kept = torch.tensor(going_on, device=tokens.device)
                growing = [growing[index] for index in going_on]
                tokens, state = tokens[kept], decoder.keep(state, kept)
                guard = guard.keep(kept) if guard is not None else None

    def _choose(self, log_probs: Tensor) -> tuple[Tensor, Tensor]:
        """Pick from (batch, 1, vocabulary) the best token and its log probability, both (batch, 1)."""
        merits = log_probs
        if self.length_bonus:
            merits = log_probs.clone()
            merits[..., self.rules.end_token] -= self.length_bonus
        tokens = merits.argmax(-1)
        return tokens, log_probs.gather(-1, tokens.unsqueeze(-1)).squeeze(-1)

    def _hypothesis(self, line: _Line, encoder_length: int, with_attention: bool) -> Hypothesis:
        attention = None
        if with_attention and (line.attention or not line.tokens):
            empty = torch.zeros(0, encoder_length)
            attention = torch.stack(line.attention)[:, :encoder_length] if line.attention else empty
        total = sum(line.log_probs) + (line.end_log_prob or 0.0) + self.length_bonus * len(line.tokens)
        return Hypothesis(
            tokens=tuple(line.tokens),
            score=total,
            token_log_probs=tuple(line.log_probs),
            ended=line.end_log_prob is not None,
            end_log_prob=line.end_log_prob,
            attention=attention,
        )


def _append(lines: list[_Line], tokens: Tensor, log_probs: Tensor, attention: Tensor | None, *, end_token: int) -> None:
    """Note the new token (batch, 1) of each line that is not settled, and settle those that end here."""
    for index, (line, token, log_prob) in enumerate(
        zip(lines, tokens.squeeze(1).tolist(), log_probs.squeeze(1).tolist(), strict=True)
    ):
        if line.settled:
            continue
        if token == end_token:
            line.end_log_prob = log_prob
        elif len(line.tokens) < line.limit:
            line.tokens.append(token)
            line.log_probs.append(log_prob)
            if attention is not None:
                line.attention.append(attention[index, 0])
            continue
        line.settled = True
