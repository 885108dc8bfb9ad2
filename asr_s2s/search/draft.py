"""Greedy search in a few passes: CTC drafts the text, the decoder reads it at once and goes on from where it differs.

Stern 2018: Stern et al., "Blockwise parallel decoding for deep autoregressive models", NeurIPS 2018 (a draft that is
    verified in one parallel pass).
Higuchi 2020: Higuchi et al., "Mask CTC", Interspeech 2020 (CTC's best path as the draft).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from asr_s2s.search.flags import FlagThresholds
from asr_s2s.search.hypothesis import Hypothesis
from asr_s2s.search.opening import open_search
from asr_s2s.search.protocol import Recognizable
from asr_s2s.search.rules import LengthBound, TokenRules, allowed_log_probs


@dataclass(slots=True)
class _Line:
    """One utterance's hypothesis: tokens that are the decoder's own, and what CTC thinks comes next."""

    limit: int
    draft: list[int]
    tokens: list[int] = field(default_factory=list)
    log_probs: list[float] = field(default_factory=list)
    attention: Tensor | None = None
    end_log_prob: float | None = None
    settled: bool = False

    def read(self, best: Sequence[int], log_probs: Sequence[float], *, end_token: int) -> None:
        """Take the decoder's best tokens, which follow `tokens`, while the draft has them too, and one more."""
        for place, (token, log_prob) in enumerate(zip(best, log_probs, strict=True)):
            if token == end_token:
                self.end_log_prob, self.settled = log_prob, True
                return
            if len(self.tokens) == self.limit:
                self.settled = True
                return
            self.tokens.append(token)
            self.log_probs.append(log_prob)
            if place == len(self.draft) or token != self.draft[place]:
                self.draft = _rest(self.draft[place:], token)
                return

    def hypothesis(self, encoder_length: int) -> Hypothesis:
        """Give what was found."""
        return Hypothesis(
            tokens=tuple(self.tokens),
            score=sum(self.log_probs) + (self.end_log_prob or 0.0),
            token_log_probs=tuple(self.log_probs),
            ended=self.end_log_prob is not None,
            end_log_prob=self.end_log_prob,
            attention=None if self.attention is None else self.attention[:, :encoder_length],
        )


class DraftSearch:
    """Greedy search for decoders that read a whole text in one pass; the text is that of `GreedySearch`.

    It pays where CTC is nearly right: each pass costs what a forward pass of the decoder does, and there is one for
    each place where the decoder differs.
    """

    def __init__(
        self, model: Recognizable, rules: TokenRules, *, bound: LengthBound, thresholds: FlagThresholds
    ) -> None:
        self.model = model
        self.rules = rules
        self.bound = bound
        self.thresholds = thresholds

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
        drafts = self._drafts(encoder_out, encoder_lengths)
        lines = [_Line(limit, draft) for limit, draft in zip(opening.limits, drafts, strict=True)]
        while going_on := [row for row, line in enumerate(lines) if not line.settled]:
            rows = torch.tensor(going_on, device=encoder_out.device)
            self._pass([lines[row] for row in going_on], encoder_out[rows], encoder_lengths[rows], with_attention)
        lengths = encoder_lengths.tolist()
        found = (line.hypothesis(length) for line, length in zip(lines, lengths, strict=True))
        return opening.flagged(found, self.thresholds)

    def _drafts(self, encoder_out: Tensor, encoder_lengths: Tensor) -> list[list[int]]:
        """Collapse each utterance's best CTC path to tokens."""
        best = self.model.ctc_log_probs(encoder_out).argmax(dim=-1)
        paths = [
            path[:length].unique_consecutive().tolist() for path, length in zip(best, encoder_lengths, strict=True)
        ]
        never = {self.rules.blank_token, self.rules.end_token, *self.rules.suppressed}
        return [[token for token in path if token not in never] for path in paths]

    def _pass(self, lines: list[_Line], encoder_out: Tensor, lengths: Tensor, with_attention: bool) -> None:
        """Have the decoder read what stands and what is drafted, and take what it would have written itself."""
        start = self.rules.start_tokens
        given = [[*start, *line.tokens, *line.draft] for line in lines]
        longest = self.model.decoder.max_tokens
        texts = [torch.tensor(text[:longest], device=encoder_out.device) for text in given]
        tokens = pad_sequence(texts, batch_first=True, padding_value=self.rules.end_token)
        output = self.model.decoder(tokens, encoder_out, lengths, with_attention=with_attention)
        log_probs = allowed_log_probs(output.logits[:, len(start) - 1 :], self.rules, first=False)
        log_probs[:, 0] = allowed_log_probs(output.logits[:, len(start) - 1], self.rules, first=True)
        values, best = (found.tolist() for found in log_probs.max(dim=-1))
        for row, (line, text) in enumerate(zip(lines, texts, strict=True)):
            places = slice(len(line.tokens), len(text) - len(start) + 1)
            line.read(best[row][places], values[row][places], end_token=self.rules.end_token)
            if output.attention is not None:
                line.attention = output.attention[row, len(start) - 1 :][: len(line.tokens)]


def _rest(draft: list[int], token: int) -> list[int]:
    """Give what is left of a draft where the decoder has another token: all behind it, or CTC wrote one too many."""
    return draft[2:] if draft[1:2] == [token] else draft[1:]
