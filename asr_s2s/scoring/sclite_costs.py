"""Alignments as sclite makes them: a substitution costs 4, a deletion or an insertion 3.

Of several cheapest alignments sclite takes the one that, read from the end, prefers a correct word or a substitution,
then an insertion, then a deletion (sctk 2.4.12, on random pairs); Kaldi's tools settle ties otherwise.
"""

from collections.abc import Sequence

from rapidfuzz.distance import Levenshtein

SUBSTITUTION, GAP = 4, 3
BEYOND = 1 << 60  # dearer than any alignment

Edit = tuple[str, int, int]


def sclite_edits(reference: Sequence[str], hypothesis: Sequence[str]) -> list[Edit]:
    """List the edits in rapidfuzz's form: "replace", "delete" or "insert", place in reference, place in hypothesis."""
    ends = _without_common_end(reference, hypothesis)
    reference, hypothesis = reference[: ends[0]], hypothesis[: ends[1]]
    # An alignment with d errors of cost 1 costs at most 4 d here; each step off the diagonal costs 3 of that.
    width = SUBSTITUTION * Levenshtein.distance(reference, hypothesis) // GAP
    return _walk(reference, hypothesis, _costs(reference, hypothesis, width), width)


def _without_common_end(reference: Sequence[str], hypothesis: Sequence[str]) -> tuple[int, int]:
    """Give the lengths without the words that both end in: read from the end, these are always taken as correct."""
    i, j = len(reference), len(hypothesis)
    while i and j and reference[i - 1] == hypothesis[j - 1]:
        i, j = i - 1, j - 1
    return i, j


def _costs(reference: Sequence[str], hypothesis: Sequence[str], width: int) -> list[list[int]]:
    """Fill the rows of the table of costs; a row holds the columns from its number - width to its number + width."""
    size = 2 * width + 1
    before = [GAP * (at - width) if 0 <= at - width <= len(hypothesis) else BEYOND for at in range(size)]
    rows = [before]
    for i, word in enumerate(reference, start=1):
        row = [BEYOND] * size
        left = BEYOND
        first = max(0, width - i)
        for at in range(first, min(size, len(hypothesis) - i + width + 1)):
            j = i + at - width
            least = left + GAP
            if j:
                straight = before[at] + (0 if word == hypothesis[j - 1] else SUBSTITUTION)
                least = min(least, straight)
            if at + 1 < size:
                least = min(least, before[at + 1] + GAP)
            row[at] = left = least
        rows.append(row)
        before = row
    return rows


def _walk(reference: Sequence[str], hypothesis: Sequence[str], rows: list[list[int]], width: int) -> list[Edit]:
    """Follow the cheapest way from the end, with sclite's choice among equals."""
    i, j = len(reference), len(hypothesis)
    edits: list[Edit] = []
    while i or j:
        at = j - i + width
        cost = rows[i][at]
        equal = i and j and reference[i - 1] == hypothesis[j - 1]
        if i and j and cost == rows[i - 1][at] + (0 if equal else SUBSTITUTION):
            i, j = i - 1, j - 1
            if not equal:
                edits.append(("replace", i, j))
        elif j and at and cost == rows[i][at - 1] + GAP:
            j -= 1
            edits.append(("insert", i, j))
        else:
            i -= 1
            edits.append(("delete", i, j))
    return edits[::-1]
