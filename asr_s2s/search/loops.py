"""Token sequences that run in circles: measured on a finished hypothesis, and prevented while searching.

Attention models, Whisper's among them, can fall into repeating a phrase until the length bound. One definition serves
the flag and the guard: an n-gram that stands `repeats` times or more in a row, over at least SHORTEST_LOOP tokens (a
doubled or tripled letter is not a loop).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

SHORTEST_LOOP = 8
LONGEST_GUARDED = 64  # tokens of an n-gram whose repetition the guard sees; the flag sees any


def loop_repeats(tokens: Sequence[int], *, least: int) -> float:
    """Give how often the most repeated n-gram stands in a row if that makes a loop of `least` repeats, else 0."""
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


@dataclass(frozen=True, slots=True)
class LoopGuard:
    """For each hypothesis of a batch, which token would go on with a loop that already stands.

    history: (batch, beam, LONGEST_GUARDED), the last tokens, newest first, -1 before the first
    runs: same shape, for each n-gram size how many newest tokens in a row equal the one that far before
    """

    history: Tensor
    runs: Tensor
    repeats: int

    @classmethod
    def start(cls, batch: int, *, repeats: int, device: torch.device) -> "LoopGuard":
        """Guard one empty hypothesis per utterance."""
        history = torch.full((batch, 1, LONGEST_GUARDED), -1, device=device)
        return cls(history, torch.zeros_like(history), repeats)

    def forbid(self, log_probs: Tensor) -> Tensor:
        """Set the tokens that would continue a standing loop to minus infinity, in (batch, beam, vocabulary).

        The others keep their values: a hypothesis that had to leave its loop pays for it, so that another one wins.
        """
        sizes = torch.arange(1, LONGEST_GUARDED + 1, device=self.runs.device)
        stands = (self.runs >= sizes * (self.repeats - 1)) & (self.runs + sizes >= SHORTEST_LOOP) & (self.history >= 0)
        where = stands.nonzero(as_tuple=True)
        if len(where[0]) == 0:
            return log_probs
        log_probs = log_probs.clone()
        log_probs[where[0], where[1], self.history[where]] = -torch.inf
        return log_probs

    def advance(self, beams: Tensor, tokens: Tensor) -> "LoopGuard":
        """Choose hypotheses (batch, new beam) within each utterance and append one token to each."""
        rows = torch.arange(len(beams), device=beams.device).unsqueeze(1)
        history, runs = self.history[rows, beams], self.runs[rows, beams]
        newest = tokens.unsqueeze(-1)
        runs = torch.where(history == newest, runs + 1, 0)
        return LoopGuard(torch.cat([newest, history[..., :-1]], dim=-1), runs, self.repeats)

    def keep(self, utterances: Tensor) -> "LoopGuard":
        """Keep only some utterances of the batch."""
        return LoopGuard(self.history[utterances], self.runs[utterances], self.repeats)
