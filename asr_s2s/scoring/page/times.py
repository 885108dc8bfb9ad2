"""When each compared word was said, from the words with times that a manifest holds."""

from collections.abc import Sequence
from itertools import pairwise

from asr_s2s.manifest import Word
from asr_s2s.scoring.align import align
from asr_s2s.text.marks import letters_only

HUNDREDTHS = 100  # as exact as word times are; shorter in the file than seconds

Span = tuple[int, int]


def word_times(words: Sequence[str], timed: Sequence[Word]) -> list[int]:
    """Return start and end of each word, one after the other, each as the hundredths of a second since the one before.

    The words are aligned with the timed ones, which are spelled as before normalising and are cut at apostrophes and
    hyphens here: one that has no partner gets the time between its neighbours.
    """
    pieces = [(piece, _span(word)) for word in timed for piece in letters_only(word.word.casefold()).split()]
    heard = iter(pieces)
    known: list[Span | None] = []
    for step in align(words, [piece for piece, _ in pieces]):
        span = None if step.kind == "deletion" else next(heard)[1]
        if step.kind != "insertion":  # a timed word that is none of the compared ones
            known.append(span)
    edges = [edge for span in _filled(known, _span(timed[0])[0], _span(timed[-1])[1]) for edge in span]
    return [edge - before for before, edge in pairwise([0, *edges])]


def _span(word: Word) -> Span:
    return round(word.start * HUNDREDTHS), round(word.end * HUNDREDTHS)


def _filled(known: Sequence[Span | None], start: int, end: int) -> list[Span]:
    """Put the time between the neighbours, or the start or end of all that was said, where a word has none."""
    following: list[int] = []
    start_of_next = end
    for span in reversed(known):
        start_of_next = span[0] if span else start_of_next
        following.append(start_of_next)
    filled: list[Span] = []
    end_of_last = start
    for span, next_start in zip(known, reversed(following), strict=True):
        filled.append(span or (end_of_last, max(end_of_last, next_start)))
        end_of_last = filled[-1][1]
    return filled
