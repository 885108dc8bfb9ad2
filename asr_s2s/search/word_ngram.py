"""A word language model beside a recogniser that writes letters or pieces: each word is judged when it is finished."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from asr_s2s.engine.protocol import LogProbs, Tokens

WORD = re.compile(r"\w+(?:['’-]\w+)*")


class WordScorer(Protocol):
    """A model of words; its states are values."""

    def start(self) -> Any:
        """Return the state before the first word."""
        ...

    def word(self, word: str, state: Any) -> tuple[float, Any]:
        """Return the log probability of the next word, in nats, and the state after it."""
        ...

    def end(self, state: Any) -> float:
        """Return the log probability that the text ends here, in nats."""
        ...


@dataclass(frozen=True)
class WordFusion:
    """What words count: total += weight x log P(word | words before), once it is known where the word ends.

    token_texts: (vocabulary,), what each token adds to a text that has begun, with the space that it brings
    """

    scorer: WordScorer
    weight: float
    token_texts: Sequence[str]
    end_token: int
    most_gain = 0.0  # of a log probability

    @cached_property
    def finishes(self) -> NDArray[np.bool_]:
        """(vocabulary,) bool, True for the tokens before which a word is whole: spaces, signs, the end."""
        finishing = [text != "" and not (text[0].isalnum() or text[0] in "'’-") for text in self.token_texts]
        finishing[self.end_token] = True
        return np.array(finishing)

    def start(self, batch: int, **_: object) -> "WordFusionState":
        """Begin with one empty hypothesis per utterance."""
        empty = Spelling(self, self.scorer.start(), "")
        return WordFusionState(self, [[empty] for _ in range(batch)], np.zeros((batch, 1), np.float32))


@dataclass(frozen=True)
class Spelling:
    """The words of a hypothesis, known by the scorer's state after them, and the letters of the one that is begun."""

    fusion: WordFusion
    state: Any
    begun: str

    @cached_property
    def finished(self) -> tuple[float, Any]:
        """What the word that is begun gains if it ends here, and the state after it."""
        gained, state = 0.0, self.state
        for word in WORD.findall(self.begun):
            log_prob, state = self.fusion.scorer.word(word, state)
            gained += self.fusion.weight * log_prob
        return gained, state

    @cached_property
    def ended(self) -> float:
        """What the hypothesis gains if the text ends here."""
        gained, state = self.finished
        return gained + self.fusion.weight * self.fusion.scorer.end(state)

    def append(self, token: int) -> "Spelling":
        """Spell one token more."""
        text = self.fusion.token_texts[token]
        if not self.fusion.finishes[token]:
            return replace(self, begun=self.begun + text)
        return Spelling(self.fusion, self.finished[1], text.lstrip())


@dataclass(frozen=True)
class WordFusionState:
    """What is thought of the hypotheses of a batch: spellings [batch][beam], totals (batch, beam) given so far."""

    fusion: WordFusion
    spellings: list[list[Spelling]]
    totals: LogProbs

    @cached_property
    def gains(self) -> LogProbs:
        """Return what each next token would add, (batch, beam, vocabulary)."""
        finished = np.array([[each.finished[0] for each in row] for row in self.spellings], np.float32)
        gains = finished[:, :, None] * self.fusion.finishes
        gains[:, :, self.fusion.end_token] = [[each.ended for each in row] for row in self.spellings]
        return gains

    def advance(self, beams: Tokens, tokens: Tokens) -> "WordFusionState":
        """Choose hypotheses (batch, new beam) within each utterance and append one token to each."""
        rows = np.arange(len(beams))[:, None]
        totals = self.totals[rows, beams] + self.gains[rows, beams, tokens]
        spellings = [
            [row[beam].append(token) for beam, token in zip(chosen, added, strict=True)]
            for row, chosen, added in zip(self.spellings, beams.tolist(), tokens.tolist(), strict=True)
        ]
        return WordFusionState(self.fusion, spellings, totals)

    def keep(self, utterances: Tokens) -> "WordFusionState":
        """Keep only some utterances of the batch."""
        return WordFusionState(
            self.fusion, [self.spellings[row] for row in utterances.tolist()], self.totals[utterances]
        )
