"""Alignments as sclite makes them: a substitution costs 4, a deletion or an insertion 3.

Of several cheapest alignments sclite takes the one that, read from the end, prefers a correct word or a substitution,
then an insertion, then a deletion (sctk 2.4.12, on random pairs); Kaldi's tools settle ties otherwise.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

SUBSTITUTION, GAP = 4, 3
BEYOND = 1 << 28  # dearer than any alignment
BLOCK = 256  # rows of the table that are held at once; of each block the first is kept

Edit = tuple[str, int, int]
Row = NDArray[np.int32]


def sclite_edits(reference: Sequence[str], hypothesis: Sequence[str]) -> list[Edit]:
    """List the edits in rapidfuzz's form: "replace", "delete" or "insert", place in reference, place in hypothesis."""
    ends = _without_common_end(reference, hypothesis)
    table = _Table(reference[: ends[0]], hypothesis[: ends[1]])
    i, j = ends
    edits: list[Edit] = []
    while i or j:
        cost = table.cost(i, j)
        equal = i and j and reference[i - 1] == hypothesis[j - 1]
        if i and j and cost == table.cost(i - 1, j - 1) + (0 if equal else SUBSTITUTION):
            i, j = i - 1, j - 1
            if not equal:
                edits.append(("replace", i, j))
        elif j and cost == table.cost(i, j - 1) + GAP:
            j -= 1
            edits.append(("insert", i, j))
        else:
            i -= 1
            edits.append(("delete", i, j))
    return edits[::-1]


def _without_common_end(reference: Sequence[str], hypothesis: Sequence[str]) -> tuple[int, int]:
    """Return the lengths without the words that both end in: read from the end, these are always taken as correct."""
    i, j = len(reference), len(hypothesis)
    while i and j and reference[i - 1] == hypothesis[j - 1]:
        i, j = i - 1, j - 1
    return i, j


class _Table:
    """The least costs of aligning beginnings of two texts, of which one row in BLOCK is kept and a block is at hand.

    A row holds the columns from its number - width to its number + width: an alignment with d errors of cost 1 costs at
    most 4 d here, and each step off the diagonal costs 3 of that.
    """

    def __init__(self, reference: Sequence[str], hypothesis: Sequence[str]) -> None:
        numbers: dict[str, int] = {}
        said, heard = ([numbers.setdefault(word, len(numbers)) for word in side] for side in (reference, hypothesis))
        self._width = SUBSTITUTION * Levenshtein.distance(said, heard) // GAP
        self._said, self._num_columns = said, len(heard) + 1
        edge = np.full(2 * self._width + 1, -1, np.int32)  # beyond the hypothesis nothing is equal
        self._heard = np.concatenate([edge[self._width :], np.array(heard, np.int32), edge])
        self._steps = GAP * np.arange(2 * self._width + 1, dtype=np.int32)
        columns = np.arange(-self._width, self._width + 1)
        first = np.where((columns >= 0) & (columns < self._num_columns), GAP * columns, BEYOND).astype(np.int32)
        self._kept = [first]
        for start in range(0, len(said) - BLOCK + 1, BLOCK):
            self._kept.append(self._rows(self._kept[-1], start, start + BLOCK)[-1])
        self._number, self._block = -1, [first]

    def cost(self, i: int, j: int) -> int:
        """The cost of the first i words of the reference against the first j of the hypothesis; i never grows."""
        number, at = divmod(i, BLOCK)
        column = j - i + self._width
        if not 0 <= column < len(self._steps):
            return BEYOND
        if number != self._number:
            start = number * BLOCK
            above = [self._kept[number]]
            self._number, self._block = number, self._rows(above[0], start, min(start + BLOCK, len(self._said)))
        return int(self._block[at][column])

    def _rows(self, first: Row, start: int, end: int) -> list[Row]:
        """Fill the rows after the start-th up to the end-th; the start-th comes first."""
        rows = [first]
        for i in range(start + 1, end + 1):
            before = rows[-1]
            heard = self._heard[i : i + 2 * self._width + 1]  # what each column ends with
            straight = before + np.where(heard == self._said[i - 1], 0, SUBSTITUTION)
            straight[:-1] = np.minimum(straight[:-1], before[1:] + GAP)
            # a gap costs as much at each step along the row: the least of what stands to the left, less the steps
            row = np.minimum.accumulate(straight - self._steps) + self._steps
            columns = slice(max(0, self._width - i), min(len(row), self._num_columns - i + self._width))
            row[: columns.start] = row[max(columns.stop, 0) :] = BEYOND
            rows.append(row)
        return rows
