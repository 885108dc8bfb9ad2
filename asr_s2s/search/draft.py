"""Greedy search in a few passes: CTC drafts the text, the decoder reads it at once and goes on from where it differs.

Stern 2018: Stern et al., "Blockwise parallel decoding for deep autoregressive models", NeurIPS 2018 (a draft that is
    verified in one parallel pass).
Higuchi 2020: Higuchi et al., "Mask CTC", Interspeech 2020 (CTC's best path as the draft).
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from asr_s2s.engine.protocol import Encoding, Engine, TokenRules
from asr_s2s.search.hypothesis import Hypothesis


@dataclass(slots=True)
class _Line:
    """One utterance's hypothesis: tokens that are the decoder's own, and what CTC thinks comes next."""

    limit: int
    draft: list[int]
    tokens: list[int] = field(default_factory=list)
    log_probs: list[float] = field(default_factory=list)
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

    def hypothesis(self) -> Hypothesis:
        """Return what was found."""
        return Hypothesis(
            tokens=tuple(self.tokens),
            score=sum(self.log_probs) + (self.end_log_prob or 0.0),
            token_log_probs=tuple(self.log_probs),
            ended=self.end_log_prob is not None,
            end_log_prob=self.end_log_prob,
        )


class Draft:
    """Greedy search for decoders that read a whole text in one pass; the text is that of a beam of one.

    It pays where CTC is nearly right: each pass costs what a forward pass of the decoder does, and there is one for
    each place where the decoder differs.
    """

    def __init__(self, engine: Engine[Any], rules: TokenRules) -> None:
        self._engine, self._rules = engine, rules

    def grow(self, encoding: Encoding, _state: Any, limits: list[int]) -> list[Hypothesis]:
        """Read drafts until every utterance is settled."""
        lines = [_Line(limit, draft) for limit, draft in zip(limits, self._drafts(encoding), strict=True)]
        while going_on := [row for row, line in enumerate(lines) if not line.settled]:
            self._read([lines[row] for row in going_on], encoding.pick(going_on))
        return [line.hypothesis() for line in lines]

    def _drafts(self, encoding: Encoding) -> list[list[int]]:
        """Collapse each utterance's best CTC path to tokens."""
        best = self._engine.ctc_log_probs(encoding).argmax(axis=-1)
        never = {self._rules.blank_token, self._rules.end_token, *self._rules.suppressed}
        paths = (path[:length].tolist() for path, length in zip(best, encoding.lengths, strict=True))
        return [[token for token, _ in itertools.groupby(path) if token not in never] for path in paths]

    def _read(self, lines: list[_Line], encoding: Encoding) -> None:
        """Have the decoder read what stands and what is drafted, and take what it would have written itself."""
        longest = self._engine.max_tokens
        room = None if longest is None else longest - len(self._rules.start_tokens)
        texts = [[*line.tokens, *line.draft][:room] for line in lines]
        log_probs, best = self._engine.read(encoding, texts, self._rules).top(1)
        for row, (line, text) in enumerate(zip(lines, texts, strict=True)):
            places = slice(len(line.tokens), len(text) + 1)
            found, values = (part[row, places, 0].tolist() for part in (best, log_probs))
            line.read(found, values, end_token=self._rules.end_token)


def _rest(draft: list[int], token: int) -> list[int]:
    """Return what is left of a draft where the decoder has another token: all behind it, or CTC wrote one too many."""
    return draft[2:] if draft[1:2] == [token] else draft[1:]
