"""What every search does: bound the hypotheses, feed the prompt, grow, and flag what looks wrong."""

from typing import Any, Protocol

from asr_s2s.engine.protocol import Encoding, Engine, TokenRules
from asr_s2s.search.bound import LengthBound
from asr_s2s.search.flags import FlagThresholds, with_flags
from asr_s2s.search.hypothesis import Hypothesis


class Way(Protocol):
    """How hypotheses grow."""

    def grow(self, encoding: Encoding, state: Any, limits: list[int]) -> list[Hypothesis]:
        """Return the best hypothesis of each utterance.

        state: the engine's, fed with all start tokens but the last
        limits: for each utterance the greatest number of tokens
        """
        ...


class Search:
    """Finds the best hypothesis of each utterance of a batch, the same alone and in any batch."""

    def __init__(
        self, engine: Engine[Any], rules: TokenRules, *, way: Way, bound: LengthBound, thresholds: FlagThresholds
    ) -> None:
        self._engine, self._rules = engine, rules
        self._way, self._bound, self._thresholds = way, bound, thresholds

    def __call__(self, encoding: Encoding) -> list[Hypothesis]:
        """Return one hypothesis per utterance, with the flags that its own evidence raises."""
        if not len(encoding):
            return []
        limits = self._bound.limits(self._engine, encoding, start_tokens=len(self._rules.start_tokens))
        start = self._engine.start(encoding, self._rules)
        found = self._way.grow(encoding, start.state, limits)
        silent = [None] * len(found) if start.no_speech is None else start.no_speech.tolist()
        return [
            with_flags(hypothesis, self._thresholds, no_speech=no_speech)
            for hypothesis, no_speech in zip(found, silent, strict=True)
        ]
