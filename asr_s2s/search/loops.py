"""Token sequences that run in circles: measured on a finished hypothesis, and prevented while searching.

Attention models, Whisper's among them, can fall into repeating a phrase until the length bound. One definition serves
the flag and the guard: an n-gram that stands `repeats` times or more in a row, over at least SHORTEST_LOOP tokens (a
doubled or tripled letter is not a loop).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from asr_s2s.engine.protocol import LogProbs, Tokens

SHORTEST_LOOP = 8
LONGEST_GUARDED = 64  # tokens of an n-gram whose repetition the guard sees; the flag sees any


def loop_repeats(tokens: Sequence[int], *, least: int) -> float:
    """Return how often the most repeated n-gram stands in a row if that makes a loop of `least` repeats, else 0."""
    most = 0.0
    for size in range(1, len(tokens) // least + 1):
        needed = max(size * (least - 1), SHORTEST_LOOP - size)
        run = _longest_run(tokens, size)
        if run >= needed:
            most = max(most, run / size + 1)
    return most


def _longest_run(tokens: Sequence[int], size: int) -> int:
    """Count the longest stretch of tokens that equal the one `size` places before."""
    longest = run = 0
    for token, before in zip(tokens[size:], tokens, strict=False):
        run = run + 1 if token == before else 0
        longest = max(longest, run)
    return longest


@dataclass(frozen=True)
class LoopGuard:
    """For each hypothesis of a batch, which token would go on with a loop that already stands.

    Other tokens keep their values: a hypothesis that had to leave its loop pays for it, so that another one wins.
    history: (batch, beam, LONGEST_GUARDED), the last tokens, newest first, -1 before the first
    runs: same shape, for each n-gram size how many newest tokens in a row equal the one that far before
    """

    history: Tokens
    runs: Tokens
    repeats: int

    @classmethod
    def start(cls, batch: int, *, repeats: int) -> "LoopGuard":
        """Guard one empty hypothesis per utterance."""
        history = np.full((batch, 1, LONGEST_GUARDED), -1)
        return cls(history, np.zeros_like(history), repeats)

    @cached_property
    def stands(self) -> list[tuple[int, int, int]]:
        """List the forbidden tokens: utterance, hypothesis, token."""
        sizes = np.arange(1, LONGEST_GUARDED + 1)
        stands = (self.runs >= sizes * (self.repeats - 1)) & (self.runs + sizes >= SHORTEST_LOOP) & (self.history >= 0)
        return [(row, slot, int(self.history[row, slot, place])) for row, slot, place in np.argwhere(stands).tolist()]

    def penalties(self, vocabulary_size: int) -> LogProbs:
        """Return minus infinity for the tokens that would continue a standing loop, (batch, beam, vocabulary)."""
        penalties = np.zeros((*self.history.shape[:2], vocabulary_size), np.float32)
        for row, slot, token in self.stands:
            penalties[row, slot, token] = -np.inf
        return penalties

    def forbid(self, tokens: Tokens, log_probs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Set the log probabilities of tokens that would continue a standing loop to minus infinity; one shape both."""
        if not self.stands:
            return log_probs
        log_probs = log_probs.copy()
        for row, slot, token in self.stands:
            log_probs[row, slot, tokens[row, slot] == token] = -np.inf
        return log_probs

    def advance(self, beams: Tokens, tokens: Tokens) -> "LoopGuard":
        """Choose hypotheses (batch, new beam) within each utterance and append one token to each."""
        rows = np.arange(len(beams))[:, None]
        history, runs = self.history[rows, beams], self.runs[rows, beams]
        newest = tokens[..., None]
        runs = np.where(history == newest, runs + 1, 0)
        return LoopGuard(np.concatenate([newest, history[..., :-1]], axis=-1), runs, self.repeats)

    def keep(self, utterances: Tokens) -> "LoopGuard":
        """Keep only some utterances of the batch."""
        return LoopGuard(self.history[utterances], self.runs[utterances], self.repeats)
