"""Speech under no word is found and searched again: laws over timelines of words, with a search that hears some."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby, pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from asr_s2s.audio import SAMPLE_RATE, SampleRange
from asr_s2s.manifest import Word
from asr_s2s.recognizer.coverage import REACH, gaps
from asr_s2s.recognizer.recovery import Found, flagged, recovered, segments_of
from asr_s2s.recognizer.segmenter import Piece
from asr_s2s.recognizer.words import TimedWord
from asr_s2s.transcripts import Segment

pytestmark = pytest.mark.unit

WORD, PAUSE = 0.4, 0.6  # seconds
Timeline = list[tuple[str, float, float]]  # what was said, and when


def timeline(pauses: Sequence[bool]) -> Timeline:
    """Words w0, w1, ..., with a pause before those that are marked."""
    said, at = [], 0.5
    for number, pause in enumerate(pauses):
        at += PAUSE * pause
        said.append((f"w{number}", at, at + WORD))
        at += WORD
    return said


def piece_of(said: Timeline, *, start: float = 0.0) -> Piece:
    """The sound of a timeline, in which the detector finds what was said."""
    stretches: list[SampleRange] = []
    for _, first, last in said:
        begin, end = round(first * SAMPLE_RATE), round(last * SAMPLE_RATE)
        if stretches and begin - stretches[-1].end < 0.25 * SAMPLE_RATE:
            stretches[-1] = SampleRange(stretches[-1].start, end)
        else:
            stretches.append(SampleRange(begin, end))
    samples = np.zeros(round((said[-1][2] + 0.5) * SAMPLE_RATE), np.float32)
    return Piece(round(start * SAMPLE_RATE), samples, tuple(stretches))


def heard(piece: Piece, said: Timeline, *, flags: dict[str, float] | None = None, confidence: float = 0.9) -> Found:
    """What a search that recognises these words makes of a piece; their times are those of the recording."""
    start = piece.start / SAMPLE_RATE
    end = start + len(piece.samples) / SAMPLE_RATE
    words = tuple(Word(word, first, last, 0.9) for word, first, last in said)
    text = " ".join(word.word for word in words)
    timed = tuple(TimedWord(word, ((word.start, word.end),)) for word in words)
    return Found(piece, Segment(start, end, text, words, confidence, flags or {}), timed)


def listener(said: Timeline, calls: list[int] | None = None) -> Callable[[Sequence[Piece]], list[Found]]:
    """A search that recognises all words whose middle lies in the piece."""

    def search(pieces: Sequence[Piece]) -> list[Found]:
        if calls is not None:
            calls.append(len(pieces))
        found = []
        for piece in pieces:
            start, end = piece.start / SAMPLE_RATE, (piece.start + len(piece.samples)) / SAMPLE_RATE
            found.append(heard(piece, [each for each in said if start <= (each[1] + each[2]) / 2 < end]))
        return found

    return search


said_and_kept = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=14)


@given(said_and_kept)
def test_gaps_hold_the_speech_that_lies_under_no_word(words: list[tuple[bool, bool]]) -> None:
    said = timeline([pause for pause, _ in words])
    kept = [each for each, (_, keep) in zip(said, words, strict=True) if keep]
    found = gaps([[(first, last)] for _, first, last in kept], [each[1:] for each in said], start=0.0, end=20.0)
    for gap in found:
        inside = [each for each in said if gap.start <= each[1] and each[2] <= gap.end and each not in kept]
        assert 0 < gap.speech <= WORD * len(inside) + 1e-6
        assert gap.speech >= WORD * len(inside) - 2 * REACH - 1e-6
        assert gap.words == sum(each[2] <= gap.start for each in kept)
    for one, other in pairwise([0.0, *(edge for each in kept for edge in each[1:]), 20.0]):
        lost = [each for each in said if one <= each[1] and each[2] <= other and each not in kept]
        if WORD * len(lost) > 2 * REACH + 1e-6:  # less is within the reach of the words around
            assert any(gap.start == one and gap.end == other for gap in found)


def test_a_text_without_words_is_one_gap_from_end_to_end() -> None:
    (gap,) = gaps([], [(1.0, 3.0)], start=0.0, end=4.0)
    assert (gap.words, gap.start, gap.end, gap.speech, gap.stretch) == (0, 0.0, 4.0, 2.0, 2.0)
    assert gaps([], [], start=0.0, end=4.0) == []


def test_speech_between_the_tokens_of_one_word_is_a_gap_inside_it() -> None:
    (gap,) = gaps([[(0.5, 0.6), (2.0, 2.1)]], [(0.5, 2.1)], start=0.0, end=2.3)
    assert (gap.words, gap.inside, gap.start, gap.end) == (0, True, 0.6, 2.0)
    assert gap.speech == pytest.approx(1.4 - 2 * REACH)


def test_a_word_that_is_spread_over_what_it_leaves_out_is_searched_again_in_parts() -> None:
    said = timeline([False] * 8)
    piece = piece_of(said)
    word = Word("w0", said[0][1], said[-1][2], 0.9)
    segment = Segment(0.0, len(piece.samples) / SAMPLE_RATE, "w0", (word,), 0.9)
    spread = Found(piece, segment, (TimedWord(word, ((said[0][1], said[0][2]), (said[-1][1], said[-1][2]))),))
    (parts,) = recovered([spread], listener(said))
    assert [word.word for part in parts for word in part.segment.words] == [word for word, *_ in said]
    lost = flagged(spread, max_lost_seconds=1.0)
    assert lost.flags == {"low_coverage": pytest.approx(6 * WORD - 2 * REACH)}


@given(said_and_kept, st.sampled_from([0.0, 30.0]))
def test_what_a_search_lost_is_found_in_its_place_and_nothing_twice(
    words: list[tuple[bool, bool]], start: float
) -> None:
    said = timeline([pause for pause, _ in words])
    piece = piece_of(said, start=start)
    said = [(word, first + start, last + start) for word, first, last in said]
    kept = [each for each, (_, keep) in zip(said, words, strict=True) if keep]
    first = heard(piece, kept)
    (parts,) = recovered([first], listener(said))
    found = [word.word for part in parts for word in part.segment.words]
    assert [int(word[1:]) for word in found] == sorted({int(word[1:]) for word in found})  # in order, none twice
    assert {word for word, *_ in kept} <= set(found)
    doubted = [gap for gap in first.gaps() if gap.is_doubted(long_only=not kept)]
    lost = {word for word, begin, end in said if any(gap.start <= begin and end <= gap.end for gap in doubted)}
    assert set(found) == lost | {word for word, *_ in kept}
    assert doubted or parts == [first]
    assert " ".join(part.segment.text for part in parts if part.segment.text).split() == found
    for part in parts:
        assert part.segment.start < part.segment.end
        assert all(part.segment.start - REACH <= word.start for word in part.segment.words)
    assert all(one.segment.end <= other.segment.start + 1e-6 for one, other in pairwise(parts))


@given(
    st.lists(st.tuples(st.booleans(), st.just(False)), min_size=4, max_size=30), st.lists(st.booleans(), min_size=40)
)
@example([(False, False)] * 16, [True] + [False] * 39)
@example([(False, False)] * 16, [False, True] * 20)
def test_no_speech_is_lost_without_a_flag_whichever_of_the_pieces_that_are_searched_again_are_believed(
    words: list[tuple[bool, bool]], believed: list[bool]
) -> None:
    said = timeline([pause for pause, _ in words])
    searched = iter(believed * 9)

    def search(pieces: Sequence[Piece]) -> list[Found]:
        found = listener(said)(pieces)
        sure = (0.9 if next(searched) else 0.1 for _ in pieces)
        return [replace(each, segment=replace(each.segment, confidence=c)) for each, c in zip(found, sure, strict=True)]

    kept = [each for each, (_, keep) in zip(said, words, strict=True) if keep]
    (parts,) = recovered([heard(piece_of(said), kept)], search)
    segments = segments_of(parts, max_lost_seconds=1.0)
    found = {word.word for segment in segments for word in segment.words}
    for is_lost, run in groupby(said, lambda each: each[0] not in found):
        lost = list(run)
        if is_lost and len(lost) * WORD - 2 * REACH > 1.0:
            flags = [each for each in segments if "low_coverage" in each.flags]
            assert any(each.start < lost[-1][2] and lost[0][1] < each.end for each in flags)


def test_what_was_found_again_says_how_much_speech_had_no_word() -> None:
    said = timeline([False] * 10)
    (parts,) = recovered([heard(piece_of(said), said[:3])], listener(said))
    assert parts[0].segment.repaired == {}
    assert all(part.segment.repaired["low_coverage"] == pytest.approx(7 * WORD - REACH) for part in parts[1:])


def test_many_pieces_are_searched_again_at_once_and_good_ones_not_at_all() -> None:
    said = timeline([False] * 4)
    good, bad = heard(piece_of(said), said), heard(piece_of(said), [])
    calls: list[int] = []
    parts = recovered([bad, good, bad, good], listener(said, calls))
    assert parts[1] == [good]
    assert [" ".join(part.segment.text for part in each) for each in parts] == ["w0 w1 w2 w3"] * 4
    assert len(calls) == 1


@pytest.mark.parametrize("fault", ["loop", "truncated"])
def test_a_fault_is_replaced_by_what_has_none(fault: str) -> None:
    said = timeline([False] * 4)
    first = heard(piece_of(said), said[:1] * 4, flags={fault: 4.0})
    (parts,) = recovered([first], listener(said))
    assert [word.word for part in parts for word in part.segment.words] == ["w0", "w1", "w2", "w3"]
    assert all(part.segment.repaired == {fault: 4.0} for part in parts)
    faulty = lambda pieces: [heard(piece, said, flags={fault: 4.0}) for piece in pieces]  # noqa: E731
    ((stays,),) = recovered([first], faulty)
    assert stays.segment == first.segment


@pytest.mark.parametrize("flags", [{}, {"loop": 4.0}])
def test_speech_that_no_search_recognises_is_flagged_with_its_seconds(flags: dict[str, float]) -> None:
    said = timeline([False] * 10)
    unsure = lambda pieces: [heard(piece, said, flags=flags, confidence=0.1) for piece in pieces]  # noqa: E731
    (parts,) = recovered([heard(piece_of(said), said[:3])], unsure)
    (segment,) = [flagged(part, max_lost_seconds=2.0) for part in parts]
    assert segment.text == "w0 w1 w2"
    assert segment.flags == {"low_coverage": pytest.approx(7 * WORD - REACH)}
    assert flagged(parts[0], max_lost_seconds=3.0).flags == {}


def test_a_model_that_tells_no_times_is_asked_once() -> None:
    said = timeline([False] * 10)
    found = heard(piece_of(said), said[:3])
    without = Found(found.piece, found.segment, None)
    assert recovered([without], listener(said)) == [[without]]
