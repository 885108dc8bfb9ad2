"""What a first search lost is searched again: speech that lies under no word, and pieces that loop or were cut off.

A gap between words is searched on its own. Where speech lies between the tokens of one word, which a model of
characters spreads over what it leaves out, the whole piece is: cut in two, as where it loops.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from asr_s2s.audio import SAMPLE_RATE, SampleRange, cut_at_silences
from asr_s2s.recognizer.coverage import REACH, STRETCH_SECONDS, Gap, gaps
from asr_s2s.recognizer.segmenter import Piece
from asr_s2s.recognizer.words import TimedWord
from asr_s2s.transcripts import Segment

ROUNDS = 4  # a sentence that is found again may leave out the next one
FAULTS = ("loop", "truncated")
SHARE, LEAST_SECONDS = 0.6, 2.0  # of a piece: what is longer is cut in two, or the same would be found again
EDGE_SECONDS = 0.3  # around the speech of a gap
LOST_STRETCH_SECONDS = 0.4
LEAST_CONFIDENCE = 0.4  # mean token probability of what is found in a gap


@dataclass(frozen=True)
class Found:
    """What was recognised in a piece; segment's times are seconds in the recording.

    words: None where the model tells no times
    settled: it was searched again already
    """

    piece: Piece
    segment: Segment
    words: tuple[TimedWord, ...] | None
    settled: bool = False

    def gaps(self) -> list[Gap]:
        """List where speech lies under no word."""
        if self.words is None:
            return []
        spoken = [(self._seconds(each.start), self._seconds(each.end)) for each in self.piece.spoken]
        start, end = self.segment.start, self.segment.end
        return gaps([word.spans for word in self.words], spoken, start=start, end=end)

    def has_fault(self) -> bool:
        """Return whether it loops or was cut off."""
        return any(name in self.segment.flags for name in FAULTS)

    def part(self, start: float, end: float, words: slice) -> "Found":
        """Take some words, and the sound between two times that they lie in."""
        assert self.words is not None, "only between words is it cut"
        chosen = self.words[words]
        segment = replace(
            self.segment,
            start=start,
            end=end,
            text=" ".join(each.word.word for each in chosen),
            words=self.segment.words[words],
        )
        first, last = (
            min(round(each * SAMPLE_RATE) - self.piece.start, len(self.piece.samples)) for each in (start, end)
        )
        return Found(self.piece.part(max(first, 0), last), segment, chosen, settled=True)

    def emptied(self) -> "Found":
        """Take the words away, which are not to be believed; the speech stays, and nothing tells of it."""
        return Found(self.piece, replace(self.segment, text="", words=(), flags={}), (), settled=True)

    def _seconds(self, sample: int) -> float:
        return (self.piece.start + sample) / SAMPLE_RATE


Search = Callable[[Sequence[Piece]], list[Found]]


def recovered(found: Sequence[Found], search: Search) -> list[list[Found]]:
    """Return the parts of each piece, after what was lost has been searched again.

    search: a safer one, of many pieces at once
    """
    pieces = [[each] for each in found]
    for number in range(ROUNDS):
        doubts = [(row, doubt) for row, parts in enumerate(pieces) for doubt in _doubts(parts, again=number > 0)]
        if not doubts:
            break
        again = search([piece for _, doubt in doubts for piece in doubt.pieces])
        for row, doubt in reversed(doubts):  # from the last, so that the places of the others stay
            new, again = again[len(again) - len(doubt.pieces) :], again[: len(again) - len(doubt.pieces)]
            pieces[row][doubt.place : doubt.place + 1] = doubt.settle(pieces[row][doubt.place], new)
    return pieces


@dataclass(frozen=True)
class _WholeAgain:
    """A part of a piece that is searched again as a whole, cut in two."""

    place: int
    pieces: list[Piece]

    def settle(self, first: Found, again: list[Found]) -> list[Found]:
        """Take the second result unless it has a fault too, or leaves out more."""
        faulty = any(each.has_fault() for each in again)
        if faulty or (not first.has_fault() and sum(map(_lost, again)) >= _lost(first)):
            return [replace(first, settled=True)]
        shown = first.segment.flags if first.has_fault() else {"low_coverage": _lost(first)}
        return [replace(each, segment=replace(each.segment, repaired=shown)) for each in again]


@dataclass(frozen=True)
class _GapsAgain:
    """A part of a piece of which only gaps are searched again."""

    place: int
    gaps: list[tuple[Gap, list[Piece]]]

    @property
    def pieces(self) -> list[Piece]:
        return [piece for _, pieces in self.gaps for piece in pieces]

    def settle(self, first: Found, again: list[Found]) -> list[Found]:
        """Put what was found, and is to be believed, between the words around it."""
        parts = []
        place, start = 0, first.segment.start
        for gap, pieces in self.gaps:
            new, again = again[: len(pieces)], again[len(pieces) :]
            if not any(map(_is_credible, new)):
                continue
            if gap.words > place:
                parts.append(first.part(start, new[0].segment.start, slice(place, gap.words)))
            parts += [_repaired(each, gap) if _is_credible(each) else each.emptied() for each in new]
            place, start = gap.words, new[-1].segment.end
        assert first.words is not None, "it has gaps"
        if not parts:
            return [replace(first, settled=True)]
        if place < len(first.words):
            parts.append(first.part(start, first.segment.end, slice(place, None)))
        return parts


def _doubts(parts: Sequence[Found], *, again: bool) -> list[_WholeAgain | _GapsAgain]:
    doubts: list[_WholeAgain | _GapsAgain] = []
    for place, each in enumerate(parts):
        if each.settled:
            continue
        # where the model wrote nothing at all, it said so of the whole: a short sound there is no reason to ask again
        doubted = [gap for gap in each.gaps() if gap.is_doubted(long_only=again or not each.words)]
        if each.has_fault() or any(gap.inside for gap in doubted):
            doubts.append(_WholeAgain(place, _cut(each.piece, of=each.piece)))
        elif doubted:
            doubts.append(_GapsAgain(place, [(gap, _searched(gap, each.piece)) for gap in doubted]))
    return doubts


def _sounds_of(gap: Gap, piece: Piece) -> list[Piece]:
    """Cut out a gap's speech with some sound around it, apart where pauses part it.

    What the words at its ends left of theirs is no speech of its own, unless there is no other.
    """
    start, end = (round(each * SAMPLE_RATE) - piece.start for each in (gap.start, gap.end))
    edge, reach = (round(each * SAMPLE_RATE) for each in (EDGE_SECONDS, REACH))
    groups: list[list[SampleRange]] = []
    for each in piece.spoken:
        if not (each.start < end and start < each.end):
            continue
        if groups and each.start - groups[-1][-1].end <= 2 * edge:
            groups[-1].append(each)
        else:
            groups.append([each])

    def bare(group: list[SampleRange]) -> int:
        return sum(max(min(each.end, end - reach) - max(each.start, start + reach), 0) for each in group)

    chosen = [group for group in groups if bare(group) >= STRETCH_SECONDS * SAMPLE_RATE] or groups
    return [
        piece.part(max(start, group[0].start - edge, 0), min(end, group[-1].end + edge, len(piece.samples)))
        for group in chosen
    ]


def _searched(gap: Gap, piece: Piece) -> list[Piece]:
    return [part for sound in _sounds_of(gap, piece) for part in _cut(sound, of=piece)]


def _cut(sound: Piece, *, of: Piece) -> list[Piece]:
    """Cut sound at its quietest places where it is nearly the whole piece."""
    longest = max(len(of.samples) / SAMPLE_RATE * SHARE, LEAST_SECONDS)
    return [sound.part(cut.start, cut.end) for cut in cut_at_silences(sound.samples, max_seconds=longest)]


def _lost(found: Found) -> float:
    """Return the seconds of speech under no word."""
    return sum(gap.speech for gap in found.gaps())


def _repaired(new: Found, gap: Gap) -> Found:
    return replace(new, segment=replace(new.segment, repaired={"low_coverage": gap.speech}))


def _is_credible(new: Found) -> bool:
    """Return whether words that were found in a gap are to be believed."""
    return bool(new.segment.text) and not new.has_fault() and (new.segment.confidence or 0.0) >= LEAST_CONFIDENCE


def segments_of(parts: Sequence[Found], *, max_lost_seconds: float) -> list[Segment]:
    """Return the segments of a piece, flagged where they lack words; of what has no words, only what says so."""
    segments = [flagged(each, max_lost_seconds=max_lost_seconds) for each in parts]
    return [each for each in segments if each.text or each.flags] or segments[:1]


def flagged(found: Found, *, max_lost_seconds: float) -> Segment:
    """Flag the seconds of speech that no word tells of.

    A short answer between pauses is enough, but not around the words of a short gap: the times of single words are
    not that exact.
    """
    least = max_lost_seconds if found.segment.repaired else LOST_STRETCH_SECONDS
    lost = sum(
        gap.speech
        for gap in found.gaps()
        if gap.speech > max_lost_seconds or gap.stretch > least or (gap.inside and gap.is_doubted())
    )
    return replace(found.segment, flags=dict(found.segment.flags) | ({"low_coverage": lost} if lost else {}))
