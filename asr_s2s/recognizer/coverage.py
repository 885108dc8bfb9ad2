"""Speech that lies under no word: where the detector finds speech and no token attends to it."""

from collections.abc import Sequence
from dataclasses import dataclass

REACH = 0.2  # seconds on both sides of a token that belong to it: attention is that exact
# Chosen on recordings of all lengths made of training clips (recipes/en/lengths.py): of texts that are right, 6 % have
# a gap with a second of speech, of texts that lack four words 73 %, of eight 98 %.
DOUBTED_SECONDS = 1.0
STRETCH_SECONDS = 0.2  # of speech between pauses, all of it in a gap: a short answer
INSIDE_SECONDS = 0.3  # of speech between the tokens of one word, who have no reason to lie apart

Span = tuple[float, float]  # seconds


@dataclass(frozen=True)
class Gap:
    """Time between two tokens, or at an end, in which no token lies.

    words: how many words end before it; inside: it lies between the tokens of one word; start, end: seconds
    speech: seconds of detected speech in it; stretch: those of its longest stretch that lies in it whole
    """

    words: int
    inside: bool
    start: float
    end: float
    speech: float
    stretch: float

    def is_doubted(self, *, long_only: bool = False) -> bool:
        """Return whether words may be missing there: a few in a row, or a short answer between pauses."""
        if self.inside:
            return self.speech >= INSIDE_SECONDS
        return self.speech >= DOUBTED_SECONDS or (self.stretch >= STRETCH_SECONDS and not long_only)


def gaps(words: Sequence[Sequence[Span]], spoken: Sequence[Span], *, start: float, end: float) -> list[Gap]:
    """List the gaps of a text between start and end that hold speech.

    words: the spans of each word's tokens, in order; spoken: where the detector finds speech
    """
    found = []
    last = start - REACH
    for number, spans in enumerate([*words, [(end + REACH, end)]]):
        for place, (first, until) in enumerate(spans):
            bare = last + REACH, first - REACH  # of what tokens reach
            heard = [(max(one, bare[0]), min(other, bare[1])) for one, other in spoken]
            whole = [other - one for one, other in spoken if bare[0] <= one and other <= bare[1]]
            gap = Gap(
                words=number,
                inside=place > 0,
                start=max(last, start),
                end=min(first, end),
                speech=sum(max(other - one, 0.0) for one, other in heard),
                stretch=max(whole, default=0.0),
            )
            found.append(gap)
            last = until
    return [each for each in found if each.speech > 0.0]
