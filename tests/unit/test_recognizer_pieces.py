"""Long recordings in blocks: every utterance is in one piece, at its time; nothing is heard twice."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from asr_s2s.audio import SAMPLE_RATE, read_audio
from asr_s2s.recognizer.pieces import WAIT_SECONDS, Pieces

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


def blocks(samples: NDArray[np.float32], seconds: float) -> Iterator[NDArray[np.float32]]:
    size = round(seconds * SAMPLE_RATE)
    for start in range(0, len(samples), size):
        yield samples[start : start + size]


@pytest.mark.parametrize("seconds", [1.0, 30.0, 1000.0])
def test_each_utterance_is_in_one_piece_and_silence_in_none(seconds: float) -> None:
    samples, spans = recording()
    found = Pieces(blocks(samples, seconds), max_seconds=30.0, find_speech=True)
    pieces = list(found)
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
        list(Pieces(blocks(samples * np.float32(gain), 30.0), max_seconds=30.0, find_speech=True)) for gain in (1, 0.01)
    )
    assert len(soft) == len(usual)
    for one, other in zip(soft, usual, strict=True):
        assert abs(one.start - other.start) < SAMPLE_RATE // 4


@pytest.mark.parametrize("seconds", [7.7, 1000.0])
def test_without_a_detector_the_pieces_are_the_whole(seconds: float) -> None:
    samples, _ = recording()
    pieces = list(Pieces(blocks(samples, seconds), max_seconds=30.0, find_speech=False))
    np.testing.assert_array_equal(np.concatenate([piece.samples for piece in pieces]), samples)
    assert [piece.start for piece in pieces[1:]] == np.cumsum([len(piece.samples) for piece in pieces])[:-1].tolist()
    assert max(len(piece.samples) for piece in pieces) <= 30 * SAMPLE_RATE


def test_a_long_recording_never_waits_in_memory_as_a_whole() -> None:
    clip = read_audio(DATA / CLIPS[1])
    waiting = []
    pieces = Pieces((clip for _ in range(120)), max_seconds=30.0, find_speech=True)  # speech without an end
    for piece in pieces:
        waiting.append(len(pieces._waiting))
        assert len(piece.samples) <= 30 * SAMPLE_RATE
    assert pieces.num_samples > 2 * max(waiting)
    assert max(waiting) <= (WAIT_SECONDS + 31) * SAMPLE_RATE


def test_a_recording_without_sound_has_no_pieces() -> None:
    silent = Pieces([np.zeros(SAMPLE_RATE, np.float32)], max_seconds=30.0, find_speech=True)
    assert list(silent) == []
    assert silent.speech < 0.5


@pytest.mark.parametrize(("gap_seconds", "count"), [(0.0, 2), (1.0, 1)])
def test_stretches_of_speech_are_pieces_of_their_own_unless_they_may_be_joined(gap_seconds: float, count: int) -> None:
    clip = read_audio(DATA / "arctic_a0015_1592748256.ogg")
    block = np.concatenate([clip, np.zeros(20_000, np.float32), clip])
    pieces = list(Pieces([block], max_seconds=30.0, find_speech=True, gap_seconds=gap_seconds))
    assert len(pieces) == count
