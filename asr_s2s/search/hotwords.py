"""Words that a user expects: hypotheses that spell one are preferred, and lose it again where the word does not end.

Zhao 2019: Zhao et al., "Shallow-fusion end-to-end contextual biasing", Interspeech 2019 (a bonus for every unit of a
phrase, given back at the first unit that leaves it).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from asr_s2s.engine.protocol import LogProbs, Tokens

ROOT = 0


@dataclass(frozen=True)
class Hotwords:
    """All words as one tree of tokens; node 0 is its root.

    children: for each node, its tokens and the nodes they lead to
    depths: (node,), ends: (node,) bool, True where a word is whole
    after_word: (vocabulary,) bool, True for the tokens that a whole word may be followed by: spaces, signs, the end
    before_word: (vocabulary,) bool, True for the tokens that a word may begin after: nothing but spaces and signs
    bonus: nats a token
    """

    children: tuple[dict[int, int], ...]
    depths: NDArray[np.int64]
    ends: NDArray[np.bool_]
    after_word: NDArray[np.bool_]
    before_word: NDArray[np.bool_]
    bonus: float

    @classmethod
    def build(
        cls, words: Iterable[Sequence[int]], *, token_texts: Sequence[str], end_token: int, bonus: float
    ) -> "Hotwords":
        """Join words, each the tokens that spell it; token_texts are as within a text, with the spaces they bring."""
        children: list[dict[int, int]] = [{}]
        depths, ends = [0], [False]
        for word in words:
            node = ROOT
            for token in word:
                if token not in children[node]:
                    children[node][token] = len(children)
                    children.append({})
                    depths.append(depths[node] + 1)
                    ends.append(False)
                node = children[node][token]
            ends[node] = node != ROOT
        after = [not text[:1].isalnum() and text[:1] not in ("", "'") for text in token_texts]
        after[end_token] = True
        before = [text != "" and not any(sign.isalnum() or sign == "'" for sign in text) for text in token_texts]
        return cls(tuple(children), np.array(depths), np.array(ends), np.array(after), np.array(before), bonus=bonus)

    @property
    def most_gain(self) -> float:
        """Return the most that one token may add."""
        return max(self.bonus, 0.0) if self.children[ROOT] else 0.0

    def start(self, batch: int, **_: object) -> "HotwordState":
        """Begin with one empty hypothesis per utterance."""
        return HotwordState.start(self, batch)


@dataclass(frozen=True)
class HotwordState:
    """Where in the tree each hypothesis of a batch is; all are (batch, beam).

    nodes: of the tree; secured: depth up to which whole words were found; word_may_begin: bool
    totals: what the hypotheses have been given so far, in nats
    """

    words: Hotwords
    nodes: NDArray[np.int64]
    secured: NDArray[np.int64]
    word_may_begin: NDArray[np.bool_]
    totals: LogProbs

    @classmethod
    def start(cls, words: Hotwords, batch: int) -> "HotwordState":
        """One empty hypothesis per utterance."""
        zeros = np.zeros((batch, 1), np.int64)
        return cls(words, zeros, zeros, np.ones((batch, 1), bool), np.zeros((batch, 1), np.float32))

    @cached_property
    def gains(self) -> LogProbs:
        """Return what each next token would add, (batch, beam, vocabulary): below 0 where it leaves half a word."""
        words = self.words
        owed = words.bonus * (words.depths[self.nodes] - self.secured)[:, :, None]
        is_whole = words.ends[self.nodes][:, :, None] & words.after_word
        gains = np.where(is_whole, 0.0, -owed).astype(np.float32)
        for row, slot in np.ndindex(self.nodes.shape):
            if words.children[ROOT]:
                first = self._first_tokens(bool(self.word_may_begin[row, slot]))
                gains[row, slot, first] += words.bonus
            further = list(words.children[int(self.nodes[row, slot])]) if self.nodes[row, slot] else []
            gains[row, slot, further] = words.bonus
        return gains

    def advance(self, beams: Tokens, tokens: Tokens) -> "HotwordState":
        """Choose hypotheses (batch, new beam) within each utterance and append one token to each."""
        words = self.words
        gained = self.gains
        rows = np.arange(len(beams))[:, None]
        before, secured = self.nodes[rows, beams], self.secured[rows, beams]
        may_begin = self.word_may_begin[rows, beams]
        totals = self.totals[rows, beams] + gained[rows, beams, tokens]
        nodes = np.zeros_like(before)
        for row, slot in np.ndindex(before.shape):
            token = int(tokens[row, slot])
            further = words.children[int(before[row, slot])] if before[row, slot] else {}
            if token in further:
                nodes[row, slot] = further[token]
            elif token in self._first_tokens(bool(may_begin[row, slot])):
                nodes[row, slot] = words.children[ROOT][token]
        goes_on = words.depths[nodes] == words.depths[before] + 1
        at_word = words.ends[before] & words.after_word[tokens]
        secured = np.where(goes_on & (before != ROOT), np.where(at_word, words.depths[before], secured), 0)
        return replace(self, nodes=nodes, secured=secured, word_may_begin=words.before_word[tokens], totals=totals)

    def keep(self, utterances: Tokens) -> "HotwordState":
        """Keep only some utterances of the batch."""
        return replace(
            self,
            nodes=self.nodes[utterances],
            secured=self.secured[utterances],
            word_may_begin=self.word_may_begin[utterances],
            totals=self.totals[utterances],
        )

    def _first_tokens(self, word_may_begin: bool) -> list[int]:
        """List the tokens that begin a word: after a space all, elsewhere those that bring a space of their own."""
        first = self.words.children[ROOT]
        return [token for token in first if word_may_begin or bool(self.words.after_word[token])]
