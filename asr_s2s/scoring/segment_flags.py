"""How much of the errors sits in flagged segments: a long recording is one utterance, a part of which is flagged."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, chain
from typing import Any

from asr_s2s.scoring.align import words_of
from asr_s2s.scoring.error_rate import ErrorRate
from asr_s2s.scoring.groups import NO_FLAG, flags_of
from asr_s2s.scoring.report import FlaggedSegments
from asr_s2s.scoring.sclite_costs import Edit
from asr_s2s.text.normalizers import Normalizer

SEGMENTS = "segments"
Piece = tuple[list[str], ErrorRate]  # a segment's flags, and the errors in it


class SegmentFlags:
    """Errors of normalised words by the flags of the segments that they are in.

    An utterance whose line has no segments, or whose segments do not give its words one after the other once they are
    normalised by themselves, is one segment. So is one without any labels: it need not be added.
    """

    def __init__(self, normalizer: Normalizer) -> None:
        self._normalizer = normalizer
        self._found: dict[str, FlaggedSegments] = {}
        self._flagged = FlaggedSegments("", ErrorRate(), 0)  # those with any flag
        self._beyond = 0  # segments after the first of an utterance

    def add(self, labels: Mapping[str, Any], heard: list[str], edits: Sequence[Edit]) -> None:
        """Count an utterance; labels are those of its hypothesis."""
        parts = self._parts(labels)
        if len(parts) < 2 or list(chain(*parts)) != heard:
            pieces = iter([(flags_of(labels), _errors(edits, len(heard)))])
        else:
            pieces = _pieces(labels[SEGMENTS], [len(words) for words in parts], edits)
            self._beyond += len(parts) - 1
        for flags, errors in pieces:
            for flag in flags:
                self._found[flag] = self._found.get(flag, FlaggedSegments(flag, ErrorRate(), 0)).plus(errors)
            if flags:
                self._flagged = self._flagged.plus(errors)

    def errors(self, whole: ErrorRate, num_utterances: int) -> tuple[FlaggedSegments, ...]:
        """Return each flag's share of all errors, then the rest; nothing where no utterance has several segments."""
        if not self._beyond:
            return ()
        rest = FlaggedSegments(
            NO_FLAG, whole - self._flagged.words, num_utterances + self._beyond - self._flagged.segments
        )
        return (*(self._found[flag] for flag in sorted(self._found)), rest)

    def _parts(self, labels: Mapping[str, Any]) -> list[list[str]]:
        """Cut each segment into its words."""
        segments = labels.get(SEGMENTS)
        if not isinstance(segments, list) or not all(isinstance(segment, dict) for segment in segments):
            return []
        return [words_of(self._normalizer.apply(str(segment.get("text") or ""))) for segment in segments]


def _pieces(segments: Sequence[Mapping[str, Any]], lengths: Sequence[int], edits: Sequence[Edit]) -> Iterator[Piece]:
    """Cut an utterance's errors at the ends of its segments: what was not heard belongs to the word before it."""
    ends = list(accumulate(lengths))
    inside: list[list[Edit]] = [[] for _ in segments]
    for edit in edits:
        tag, _, place = edit
        word = max(place - 1, 0) if tag == "delete" else place
        inside[min(bisect_right(ends, word), len(segments) - 1)].append(edit)
    for segment, length, its in zip(segments, lengths, inside, strict=True):
        yield flags_of(segment), _errors(its, length)


def _errors(edits: Sequence[Edit], num_heard: int) -> ErrorRate:
    """Count errors; what was said follows from how much was heard."""
    tags = [tag for tag, _, _ in edits]
    deletions, insertions = tags.count("delete"), tags.count("insert")
    return ErrorRate(tags.count("replace"), deletions, insertions, num_heard + deletions - insertions)
