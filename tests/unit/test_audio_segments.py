"""Cutting: the pieces cover everything, none is too long, and the cuts lie in the pauses of real speech."""

import time

import numpy as np
import pytest
from audio_files import DATA, Samples
from hypothesis import given, settings
from hypothesis import strategies as st

from asr_s2s.audio import SampleRange, cut_at_silences, mix_noise, read_audio
from asr_s2s.manifest import read_manifest

pytestmark = pytest.mark.unit


def sentences() -> list[Samples]:
    """The real recordings with their silent ends taken off; without the commands, which begin with a thump."""
    found = []
    for utterance in read_manifest(DATA / "manifest.jsonl"):
        samples = read_audio(utterance.audio_path)
        loud = np.flatnonzero(np.abs(samples) > 0.05 * np.abs(samples).max())
        if utterance.speaker != "grid_s1":
            found.append(samples[loud[0] : loud[-1]])
    return found


def recording(pause_seconds: float, *, room: float = 1e-4, digital: tuple[int, ...] = ()) -> Samples:
    """Three rounds of all sentences with a pause after each, 75 seconds of speech; some have pauses inside as well.

    The numbered pauses are zeros, the others the noise of a room.
    """
    pause = room * np.random.default_rng(0).standard_normal(round(pause_seconds * 16_000)).astype(np.float32)
    parts = []
    for number, sentence in enumerate(3 * sentences()):
        parts += [sentence, 0 * pause if number in digital else pause]
    return np.concatenate(parts)


def decibels_below(samples: Samples, point: int) -> float:
    """How much quieter the tenth of a second about a point is than the three seconds about it."""
    close, around = (
        np.mean(np.square(samples[max(point - reach, 0) : point + reach], dtype=np.float64)) for reach in (800, 24_000)
    )
    return float(10 * np.log10(around / close))


def assert_cut_in_pauses(segments: list[SampleRange], samples: Samples) -> None:
    """Weak sounds amid speech lie some 15 dB below what is about them, these pauses 30 dB and more."""
    assert len(segments) > 1
    assert min(decibels_below(samples, segment.end) for segment in segments[:-1]) >= 20


@settings(max_examples=100, deadline=None)
@given(
    length=st.integers(0, 3000),
    longest=st.integers(1, 700),
    loud=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 3000)), max_size=4),
    seed=st.integers(0, 9),
)
def test_pieces_cover_every_sample_once_and_none_is_too_long(
    length: int, longest: int, loud: list[tuple[int, int]], seed: int
) -> None:
    samples = np.zeros(length, np.float32)
    for begin, end in loud:
        samples[begin:end] = np.random.default_rng(seed).standard_normal(len(samples[begin:end]))
    segments = cut_at_silences(samples, sample_rate=100, max_seconds=longest / 100)
    assert [segment.start for segment in segments] == [0, *(segment.end for segment in segments)][: len(segments)]
    assert (segments[-1].end if segments else 0) == length
    assert all(0 < segment.end - segment.start <= longest for segment in segments)


def test_no_samples_give_no_piece() -> None:
    assert cut_at_silences(np.zeros(0, np.float32)) == []


def test_what_fits_is_not_cut() -> None:
    assert cut_at_silences(np.zeros(480_000, np.float32)) == [SampleRange(0, 480_000)]


@pytest.mark.parametrize("max_seconds", [30.0, 12.0])
@pytest.mark.parametrize("pause_seconds", [0.2, 0.8])
def test_cuts_lie_in_pauses(max_seconds: float, pause_seconds: float) -> None:
    samples = recording(pause_seconds)
    assert_cut_in_pauses(cut_at_silences(samples, max_seconds=max_seconds), samples)


def test_cuts_lie_in_pauses_when_there_is_noise() -> None:
    samples = recording(0.8)
    noisy = mix_noise(samples, read_audio(DATA / "noise.flac"), snr_db=10)
    assert_cut_in_pauses(cut_at_silences(noisy), samples)


def test_a_quiet_speaker_is_not_taken_for_silence() -> None:
    samples = recording(0.5)
    samples[: len(samples) // 2] *= 0.05  # -26 dB: the other end of the table
    segments = cut_at_silences(samples, max_seconds=20.0)
    assert sum(segment.end < len(samples) // 2 for segment in segments) >= 2
    assert_cut_in_pauses(segments, samples)


def test_hum_and_a_drifting_offset_do_not_hide_the_pauses() -> None:
    samples = recording(0.5)
    seconds = np.arange(len(samples)) / 16_000
    hum = (0.3 * np.sin(2 * np.pi * 0.21 * seconds) + 0.03 * np.sin(2 * np.pi * 50 * seconds)).astype(np.float32)
    assert_cut_in_pauses(cut_at_silences(samples + hum), samples)


def test_digital_silence_here_and_there_does_not_make_other_pauses_look_like_speech() -> None:
    samples = recording(1.0, room=1e-3, digital=(3, 10))[: 55 * 16_000]  # zeros at 21 s and at 47 s
    segments = cut_at_silences(samples)
    assert len(segments) == 2
    assert_cut_in_pauses(segments, samples)


def test_pieces_are_as_few_as_the_pauses_allow() -> None:
    samples = recording(0.5)
    assert len(cut_at_silences(samples)) == int(np.ceil(len(samples) / 16_000 / 30.0))


def test_a_little_too_long_is_cut_about_the_middle_and_not_a_second_before_the_end() -> None:
    segments = cut_at_silences(recording(0.5)[: 31 * 16_000])
    assert len(segments) == 2
    assert all(segment.end - segment.start > 10 * 16_000 for segment in segments)


def test_speech_without_any_pause_is_cut_all_the_same() -> None:
    samples = np.random.default_rng(0).standard_normal(100 * 16_000).astype(np.float32)
    segments = cut_at_silences(samples, max_seconds=30.0)
    assert 4 <= len(segments) <= 5


def test_an_hour_is_cut_in_time_that_grows_with_the_length_alone() -> None:
    samples = recording(0.5)
    few, many = (np.tile(samples, times) for times in (2, 16))
    for hours in (few, many):
        cut_at_silences(hours[: 40 * 16_000])  # warm
    before = time.process_time()
    cut_at_silences(few)
    between = time.process_time()
    segments = cut_at_silences(many)
    after = time.process_time()
    assert len(segments) >= len(many) / 480_000
    assert after - between < 3 * 8 * (between - before)  # eight times as long; square growth would take 64 times
