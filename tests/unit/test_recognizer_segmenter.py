"""Long recordings in blocks: every utterance is in one piece, at its time; nothing is heard twice."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from asr_s2s.audio import SAMPLE_RATE, SampleRange, read_audio
from asr_s2s.recognizer.segmenter import FILE_LATENCY, Piece, Segmenter

pytestmark = pytest.mark.unit

DATA = Path(__file__).parents[1] / "data"
CLIPS = ("arctic_a0015_1592748256.ogg", "LJ001-0076.ogg", "arctic_b0342_1592531332.ogg")
MINUTES = 10
STARTS = (7.0, 60.0, 61.0 + 9.0, 238.0, 300.0, 477.0, 595.0)  # seconds; two at the ends of what is gathered


def recording() -> tuple[NDArray[np.float32], list[tuple[int, int]]]:
    """Ten minutes of a faint hiss with utterances in it, and from which to which sample each is."""
    samples = np.random.default_rng(0).normal(0, 3e-4, MINUTES * 60 * SAMPLE_RATE).astype(np.float32)
    spans = []
    for number, start in enumerate(STARTS):
        clip = read_audio(DATA / CLIPS[number % len(CLIPS)])
        at = round(start * SAMPLE_RATE)
        clip = clip[: len(samples) - at]
        samples[at : at + len(clip)] += clip
        spans.append((at, at + len(clip)))
    return samples, spans


def pieces_of(blocks: Iterable[NDArray[np.float32]], segmenter: Segmenter) -> list[Piece]:
    return [piece for block in blocks for piece in segmenter.push(block)] + segmenter.finish()


def blocks(samples: NDArray[np.float32], seconds: float) -> Iterator[NDArray[np.float32]]:
    size = round(seconds * SAMPLE_RATE)
    for start in range(0, len(samples), size):
        yield samples[start : start + size]


@pytest.mark.parametrize("seconds", [1.0, 30.0, 1000.0])
def test_each_utterance_is_in_one_piece_and_silence_in_none(seconds: float) -> None:
    samples, spans = recording()
    found = Segmenter(max_seconds=30.0, find_speech=True)
    pieces = pieces_of(blocks(samples, seconds), found)
    assert found.num_samples == len(samples)
    assert found.speech > 0.9
    ends = [0]
    for piece in pieces:
        assert piece.start >= ends[-1]  # nothing is heard twice
        np.testing.assert_array_equal(piece.samples, samples[piece.start : piece.start + len(piece.samples)])
        assert len(piece.samples) <= 30 * SAMPLE_RATE
        ends.append(piece.start + len(piece.samples))
    margin = SAMPLE_RATE // 2  # silence at the ends of the clips
    for start, end in spans:
        holding = [p for p in pieces if p.start < end - margin and p.start + len(p.samples) > start + margin]
        assert len(holding) == 1
        assert holding[0].start <= start + margin
        assert holding[0].start + len(holding[0].samples) >= end - margin
    assert sum(len(piece.samples) for piece in pieces) < 60 * SAMPLE_RATE


def test_speech_40_db_softer_is_found_too() -> None:
    samples, _ = recording()
    usual, soft = (
        pieces_of(blocks(samples * np.float32(gain), 30.0), Segmenter(max_seconds=30.0, find_speech=True))
        for gain in (1, 0.01)
    )
    assert len(soft) == len(usual)
    for one, other in zip(soft, usual, strict=True):
        assert abs(one.start - other.start) < SAMPLE_RATE // 4


@pytest.mark.parametrize("seconds", [7.7, 1000.0])
def test_without_a_detector_the_pieces_are_the_whole(seconds: float) -> None:
    samples, _ = recording()
    pieces = pieces_of(blocks(samples, seconds), Segmenter(max_seconds=30.0, find_speech=False))
    np.testing.assert_array_equal(np.concatenate([piece.samples for piece in pieces]), samples)
    assert [piece.start for piece in pieces[1:]] == np.cumsum([len(piece.samples) for piece in pieces])[:-1].tolist()
    assert max(len(piece.samples) for piece in pieces) <= 30 * SAMPLE_RATE


def test_a_long_recording_never_waits_in_memory_as_a_whole() -> None:
    clip = read_audio(DATA / CLIPS[1])
    segmenter = Segmenter(max_seconds=30.0, find_speech=True)
    waiting = []
    for _ in range(120):  # speech without an end
        for piece in segmenter.push(clip):
            assert len(piece.samples) <= 30 * SAMPLE_RATE
            given = piece.start + len(piece.samples)
            waiting.append(segmenter.num_samples - given)
    assert segmenter.num_samples > 2 * FILE_LATENCY * SAMPLE_RATE
    assert max(waiting) <= (FILE_LATENCY + 31) * SAMPLE_RATE


@pytest.mark.parametrize(("latency", "seconds"), [(1.0, 0.032), (2.0, 0.1), (10.0, 3.0), (240.0, 0.5)])
def test_a_piece_comes_at_most_the_latency_after_its_end_and_no_utterance_is_lost(
    latency: float, seconds: float
) -> None:
    samples, spans = recording()
    samples, spans = samples[: 310 * SAMPLE_RATE], spans[:5]
    segmenter = Segmenter(max_seconds=30.0, find_speech=True, latency=latency)
    pieces: list[Piece] = []
    for block in blocks(samples, seconds):
        for piece in segmenter.push(block):
            assert segmenter.num_samples - piece.start - len(piece.samples) <= (latency + seconds) * SAMPLE_RATE
            pieces.append(piece)
    pieces += segmenter.finish()
    ends = [piece.start + len(piece.samples) for piece in pieces]
    assert all(piece.start >= end for piece, end in zip(pieces[1:], ends, strict=False))
    for start, end in spans:
        inside = sum(max(min(last, end) - max(each.start, start), 0) for each, last in zip(pieces, ends, strict=True))
        assert inside > 0.8 * (end - start)


def test_a_recording_without_sound_has_no_pieces() -> None:
    silent = Segmenter(max_seconds=30.0, find_speech=True)
    assert pieces_of([np.zeros(SAMPLE_RATE, np.float32)], silent) == []
    assert silent.speech < 0.5


@pytest.mark.parametrize(("gap_seconds", "count"), [(0.0, 2), (1.0, 1)])
def test_stretches_of_speech_are_pieces_of_their_own_unless_they_may_be_joined(gap_seconds: float, count: int) -> None:
    clip = read_audio(DATA / "arctic_a0015_1592748256.ogg")
    block = np.concatenate([clip, np.zeros(20_000, np.float32), clip, np.zeros(10 * SAMPLE_RATE, np.float32)])
    pieces = pieces_of([block], Segmenter(max_seconds=30.0, find_speech=True, gap_seconds=gap_seconds))
    assert len(pieces) == count


@pytest.mark.parametrize("find_speech", [True, False])
def test_pieces_know_where_speech_is_in_them(find_speech: bool) -> None:
    samples, spans = recording()
    pieces = pieces_of(blocks(samples, 30.0), Segmenter(max_seconds=30.0, find_speech=find_speech))
    spoken = [(piece.start + each.start, piece.start + each.end) for piece in pieces for each in piece.spoken]
    assert all(any(start < end and first < stop for start, stop in spans) for first, end in spoken)
    for start, stop in spans[:-1]:  # the last is cut off after its beginning
        found = sum(min(end, stop) - max(first, start) for first, end in spoken if first < stop and start < end)
        assert found > 0.5 * (stop - start)


@pytest.mark.parametrize("gain", [1.0, 0.1, 0.01])
def test_a_short_recording_with_a_word_is_one_piece_with_silence_around_and_one_without_is_none(gain: float) -> None:
    for name in ("0_jackson_18.ogg", "3_yweweler_37.ogg", "9_george_9.ogg", "prac8p.ogg"):
        clip = read_audio(DATA / name) * np.float32(gain)
        (piece,) = pieces_of([clip], Segmenter(max_seconds=30.0, find_speech=True))
        end = piece.start + len(piece.samples)
        np.testing.assert_array_equal(piece.samples, clip[piece.start : end])
        spoken = (piece.start + piece.spoken[0].start, piece.start + piece.spoken[-1].end)
        assert piece.start <= max(spoken[0] - 0.55 * SAMPLE_RATE, 0)
        assert end >= min(spoken[1] + 0.55 * SAMPLE_RATE, len(clip))
    dishes = read_audio(DATA / "dishes.ogg")[: 9 * SAMPLE_RATE] * np.float32(gain)
    assert pieces_of([dishes], Segmenter(max_seconds=30.0, find_speech=True)) == []


def test_a_soft_answer_after_a_loud_question_is_found() -> None:
    loud, soft = read_audio(DATA / CLIPS[1]), read_audio(DATA / CLIPS[0])
    silence = np.zeros(3 * SAMPLE_RATE, np.float32)
    samples = np.concatenate([loud / np.abs(loud).max(), silence, soft / np.abs(soft).max() * np.float32(10**-2.5)])
    pieces = pieces_of([samples], Segmenter(max_seconds=30.0, find_speech=True))
    assert pieces[-1].start > len(loud)
    assert len(pieces[-1].samples) > 0.7 * len(soft)


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 50)), max_size=6), st.integers(0, 400), st.integers(0, 400)
)
def test_a_part_of_a_piece_holds_the_speech_of_its_samples(
    stretches: list[tuple[int, int]], one: int, other: int
) -> None:
    edges = np.cumsum([length for stretch in stretches for length in stretch]).tolist()
    spoken = tuple(SampleRange(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True))
    piece = Piece(7, np.arange(400, dtype=np.float32), spoken)
    start, end = min(one, other), max(one, other)
    part = piece.part(start, end)
    assert (part.start, len(part.samples)) == (7 + start, end - start)
    inside = {sample - start for each in spoken for sample in range(each.start, each.end) if start <= sample < end}
    assert {sample for each in part.spoken for sample in range(each.start, each.end)} == inside


@pytest.mark.parametrize(
    ("name", "softer_db", "counts"), [("LJ001-0076", 40, True), ("0_jackson_18", 10, True), ("0_jackson_18", 40, False)]
)
def test_what_sounds_like_speech_only_when_it_is_raised_counts_as_speech_if_it_lasts(
    name: str, softer_db: float, counts: bool
) -> None:
    loud, other = read_audio(DATA / CLIPS[0]), read_audio(DATA / f"{name}.ogg")
    soft = other * np.float32(10 ** (-softer_db / 20) * np.abs(loud).max() / np.abs(other).max())
    silence = np.zeros(SAMPLE_RATE, np.float32)
    samples = np.concatenate([loud, silence, soft, *8 * [silence]])
    pieces = pieces_of([samples], Segmenter(max_seconds=30.0, find_speech=True))
    assert any(each.start + len(each.samples) > len(loud) + SAMPLE_RATE for each in pieces)  # the model hears it
    ends = [each.start + part.end for each in pieces for part in each.spoken]
    assert (max(ends) > len(loud) + SAMPLE_RATE) == counts
