"""Whether the first words of plain text files are ids, as in Kaldi's `text`, or words like the others.

Rates differ by what is assumed, so where both may be, nothing is assumed. An id holds a digit, names one line, and does
not look like the words behind it, as the syllables of tone pinyin do ("wo3 men5"). Neither another order in the other
file nor many lines make numbers ids: a recogniser may mishear "2023 was bad" as "2024 was bad".
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from asr_s2s.errors import ScoringError

ALIKE = 0.5  # share of the other words that have the shape of a first word
NO_WORD = re.compile(  # faks0_sx223; 84-121123-0000; utt001; A1234567
    r".*_.*|[^-]+-[^-]+-(.*-)?0\d{3}|[^\W\d](.*\D)?0\d\d.*|[^\W\d].*\d{5}.*"
)
COUNTED = re.compile(r"([^\W\d].*-)(\d+)")  # utt-1, spk3-utt-1


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
        """Return whether the other words are of the same kinds as the first ones."""
        kinds = set(map(_shape, self.first))
        return sum(_shape(word) in kinds for word in self.others) >= ALIKE * max(len(self.others), 1)

    @property
    def like_ids(self) -> bool:
        """Return whether all are joined or numbered as no word is, or counted from 0 or 1 ("utt-1", "utt-2")."""
        lowest: dict[str, int] = {}
        for word in self.first:
            if NO_WORD.fullmatch(word):
                continue
            found = COUNTED.fullmatch(word)
            if not found:
                return False
            lowest[found[1]] = min(int(found[2]), lowest.get(found[1], int(found[2])))
        return all(number <= 1 for number in lowest.values())


def begin_with_ids(reference: Sequence[str], hypothesis: Sequence[str], *, names: str) -> bool:
    """Return whether the lines of two files begin with ids.

    names: of both files, for the message
    Raises ScoringError where they may and may not.
    """
    both = _begins(reference), _begins(hypothesis)
    if not all(side.first for side in both):
        return any(side.may_be_ids for side in both)
    if not any(side.others for side in both):
        return False  # ids of nothing
    in_both = all(side.may_be_ids for side in both)
    if in_both and all(side.unique and side.like_ids for side in both):
        return True
    shared = in_both and any(side.unique for side in both) and bool(set(both[0].first) & set(both[1].first))
    if not (shared or _moved(*both) or any(side.may_be_ids and side.like_ids for side in both)):
        return False
    raise ScoringError(
        f"{names}: the lines may begin with ids ('{both[0].first[0]}', '{both[1].first[0]}') or with words, and the "
        "rates would differ. Say which: --format kaldi or --format lines."
    )


def names_each_line(lines: Sequence[str]) -> bool:
    """Return whether each line of one file begins with another word."""
    return _begins(lines).unique


def may_begin_with_ids(lines: Sequence[str]) -> bool:
    """Return whether the lines of one file may begin with ids."""
    return _begins(lines).may_be_ids


def _begins(lines: Sequence[str]) -> _Begins:
    words = [line.split() for line in lines]
    return _Begins([line[0] for line in words if line], [word for line in words for word in line[1:]])


def _moved(one: _Begins, other: _Begins) -> bool:
    """Return whether both files hold the same first words, each once, in another order, as lines of words would not."""
    if not (one.unique and other.unique and one.others and other.others):
        return False
    common = set(one.first) & set(other.first)
    return len(common) > 1 and [w for w in one.first if w in common] != [w for w in other.first if w in common]


def _shape(word: str) -> str:
    """Write a word's kind: letters as a, runs of digits as 0."""
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "0", word))
