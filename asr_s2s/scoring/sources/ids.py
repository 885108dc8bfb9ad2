"""Whether the first words of plain text files are ids, as in Kaldi's `text`, or words like the others.

Rates differ by what is assumed, so where both may be, nothing is assumed. An id holds a digit, names one line, and does
not look like the words behind it, as the syllables of tone pinyin do ("wo3 men5").
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from asr_s2s.errors import ScoringError

MANY = 10  # lines that each begin with another word with a digit: no text does so
ALIKE = 0.5  # share of the other words that have the shape of a first word


class _Begins(NamedTuple):
    """The first words of a file's lines, and all others."""

    first: list[str]
    others: list[str]

    @property
    def may_be_ids(self) -> bool:
        return bool(self.first) and all(re.search(r"\d", word) for word in self.first) and not self.alike

    @property
    def unique(self) -> bool:
        return len(set(self.first)) == len(self.first)

    @property
    def alike(self) -> bool:
        """Say whether the other words are of the same kinds as the first ones."""
        kinds = set(map(_shape, self.first))
        return sum(_shape(word) in kinds for word in self.others) >= ALIKE * max(len(self.others), 1)

    @property
    def like_ids(self) -> bool:
        """Say whether the first words are counted on ("utt-1", "utt-2"), joined as in no text, or many."""
        joined = all("_" in word or re.search(r"\d{4}.*-|-.*\d{4}", word) for word in self.first)
        pattern = {re.sub(r"\d+", "0", word) for word in self.first}
        enough = 2 if re.search(r"[-_]", self.first[0]) else 3
        counted = len(pattern) == 1 and pattern != {"0"} and len(self.first) >= enough
        return joined or counted or (self.unique and len(self.first) >= MANY)


def begin_with_ids(reference: Sequence[str], hypothesis: Sequence[str], *, names: str) -> bool:
    """Say whether the lines of two files begin with ids.

    names: of both files, for the message
    Raises ScoringError where they may and may not.
    """
    both = _begins(reference), _begins(hypothesis)
    if not all(side.first for side in both):
        return any(side.may_be_ids for side in both)
    if not any(side.others for side in both):
        return False  # ids of nothing
    in_both = all(side.may_be_ids and side.unique for side in both)
    if in_both and (_moved(*both) or all(side.like_ids for side in both)):
        return True
    shared = in_both and bool(set(both[0].first) & set(both[1].first))
    if not (shared or _moved(*both) or any(side.may_be_ids and side.like_ids for side in both)):
        return False
    raise ScoringError(
        f"{names}: the lines may begin with ids ('{both[0].first[0]}', '{both[1].first[0]}') or with words, and the "
        "rates would differ. Say which: --format kaldi or --format lines."
    )


def names_each_line(lines: Sequence[str]) -> bool:
    """Say whether each line of one file begins with another word."""
    return _begins(lines).unique


def may_begin_with_ids(lines: Sequence[str]) -> bool:
    """Say whether the lines of one file may begin with ids."""
    return _begins(lines).may_be_ids


def _begins(lines: Sequence[str]) -> _Begins:
    words = [line.split() for line in lines]
    return _Begins([line[0] for line in words if line], [word for line in words for word in line[1:]])


def _moved(one: _Begins, other: _Begins) -> bool:
    """Say whether both files hold the same first words, each once, in another order, as lines of words would not."""
    if not (one.unique and other.unique and one.others and other.others):
        return False
    common = set(one.first) & set(other.first)
    return len(common) > 1 and [w for w in one.first if w in common] != [w for w in other.first if w in common]


def _shape(word: str) -> str:
    """Write a word's kind: letters as a, runs of digits as 0."""
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "0", word))
