"""Speech that lies under no word: where the detector finds speech and no token attends to it."""

from collections.abc import Sequence
from dataclasses import dataclass

REACH = 0.2  # seconds on both sides of a token that belong to it: attention is that exact
# Chosen on recordings of all lengths made of training clips (recipes/en/lengths.py): of texts that are right, 6 % have
# a gap with a second of speech, of texts that lack four words 73 %, of eight 98 %.
DOUBTED_SECONDS = 1.0
STRETCH_SECONDS = 0.2  # of speech between pauses, all of it in a gap: a short answer

Span = tuple[float, float]  # seconds


@dataclass(frozen=True)
class Gap:
    """Time between two words, or at an end, in which no token lies.

    words: how many words are before it; start, end: seconds
    speech: seconds of detected speech in it; stretch: those of its longest stretch that lies in it whole
    """

    words: int
    start: float
    end: float
    speech: float
    stretch: float

    def is_doubted(self, *, long_only: bool = False) -> bool:
        """Tell whether words may be missing there: a few in a row, or a short answer between pauses."""
        return self.speech >= DOUBTED_SECONDS or (self.stretch >= STRETCH_SECONDS and not long_only)


def gaps(words: Sequence[Sequence[Span]], spoken: Sequence[Span], *, start: float, end: float) -> list[Gap]:
    """List the gaps of a text between start and end that hold speech.

    words: the spans of each word's tokens, in order; spoken: where the detector finds speech
    """
    ends = [start - REACH, *(spans[-1][1] for spans in words)]
    starts = [*(spans[0][0] for spans in words), end + REACH]
    found = [
        _gap(number, max(first, start), min(last, end), (first + REACH, last - REACH), spoken)
        for number, (first, last) in enumerate(zip(ends, starts, strict=True))
    ]
    return [each for each in found if each.speech > 0.0]


def _gap(words: int, start: float, end: float, bare: Span, spoken: Sequence[Span]) -> Gap:
    inside = [(max(first, bare[0]), min(last, bare[1])) for first, last in spoken]
    speech = sum(max(last - first, 0.0) for first, last in inside)
    whole = [last - first for first, last in spoken if bare[0] <= first and last <= bare[1]]
    return Gap(words, start, end, speech, max(whole, default=0.0))
