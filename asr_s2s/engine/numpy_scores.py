"""Log probabilities of the next token from logits that lie in memory, of which few are ever read."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from asr_s2s.engine.protocol import LogProbs, Tokens

GROUP = 32  # tokens of which only the best is compared first


@dataclass(frozen=True)
class NumpyScores:
    """See the protocol `Scores`.

    logits: (batch, beam, vocabulary), minus infinity at what is forbidden
    scale: (batch, beam, 1), positive, by which they are still to be multiplied; None: they are as they should be
    """

    logits: NDArray[np.float32]
    scale: NDArray[np.float32] | None = None

    def forbid(self, tokens: Sequence[int]) -> None:
        """Share probability out among the other tokens; the logits are overwritten."""
        if tokens:
            self.logits[..., list(tokens)] = -np.inf

    def between(self, first: int, end: int | None = None) -> "NumpyScores":
        """Take some places of the second axis; the logits are shared."""
        return NumpyScores(self.logits[:, first:end], None if self.scale is None else self.scale[:, first:end])

    def top(self, count: int, *, gains: LogProbs | None = None) -> tuple[LogProbs, Tokens]:
        """Return the best tokens and their log probabilities."""
        tokens = best(self.logits if gains is None else self._scaled(self.logits) + gains, count)
        return self.at(tokens), tokens

    def at(self, tokens: Tokens) -> LogProbs:
        """Return the log probabilities of chosen tokens."""
        return np.asarray(self._scaled(np.take_along_axis(self.logits, tokens, axis=-1)) - self._total)

    def _scaled(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        return logits if self.scale is None else logits * self.scale

    @cached_property
    def _total(self) -> NDArray[np.float32]:
        """The logarithm of the sum of all exponentials, (batch, beam, 1)."""
        rows = self.logits.reshape(-1, self.logits.shape[-1])
        scales = None if self.scale is None else self.scale.reshape(-1)
        highest = rows.max(axis=1)
        total = np.empty_like(highest)
        shifted = np.empty_like(rows[0])
        for place, row in enumerate(rows):  # one by one they stay in the processor's cache
            np.subtract(row, highest[place], out=shifted)
            if scales is not None:
                shifted *= scales[place]
            total[place] = np.exp(shifted, out=shifted).sum()
        highest = highest if scales is None else highest * scales
        return np.asarray((highest + np.log(total)).reshape(*self.logits.shape[:-1], 1))


def best(values: NDArray[np.float32], count: int) -> Tokens:
    """Return the places of the highest values (..., place), highest first: (..., count).

    The highest lie in the groups with the highest maxima, so that no more than a few groups are sorted.
    """
    groups = values.shape[-1] // GROUP
    rows = values.reshape(-1, values.shape[-1])
    if groups <= count:
        places = np.argsort(-rows, axis=1, kind="stable")[:, :count]
        return places.reshape(*values.shape[:-1], count)
    maxima = np.stack([row[: groups * GROUP].reshape(GROUP, groups).max(axis=0) for row in rows])
    chosen = np.argpartition(-maxima, count - 1, axis=1)[:, :count]
    members = (chosen[:, :, None] + groups * np.arange(GROUP)).reshape(len(rows), -1)
    rest = np.broadcast_to(np.arange(groups * GROUP, rows.shape[1]), (len(rows), rows.shape[1] - groups * GROUP))
    candidates = np.sort(np.concatenate([members, rest], axis=1), axis=1)
    order = np.argsort(-np.take_along_axis(rows, candidates, axis=1), axis=1, kind="stable")[:, :count]
    return np.take_along_axis(candidates, order, axis=1).reshape(*values.shape[:-1], count)
