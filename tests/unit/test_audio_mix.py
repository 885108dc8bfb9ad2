"""Noise, rooms, speed, rates and writing: each keeps exactly what it promises, on real speech."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from audio_files import DATA, snr_db, speech
from hypothesis import given, settings
from hypothesis import strategies as st

from asr_s2s.audio import add_reverberation, change_speed, mix_noise, read_audio, resample, write_audio
from asr_s2s.audio.resample import resample_blocks

pytestmark = pytest.mark.unit

NOISE = read_audio(DATA / "noise.flac")
ROOM = read_audio(DATA / "room.flac")


@settings(max_examples=50, deadline=None)
@given(snr=st.floats(-20, 50), start=st.integers(0, 200_000), gain=st.floats(1e-3, 10))
def test_noise_is_added_at_exactly_the_ratio_asked_for(snr: float, start: int, gain: float) -> None:
    loud = (gain * speech()).astype(np.float32)
    added = mix_noise(loud, NOISE, snr_db=snr, start=start).astype(np.float64) - loud
    measured = 10 * np.log10(np.mean(np.square(loud, dtype=np.float64)) / np.mean(added**2))
    assert measured == pytest.approx(snr, abs=2e-3)  # float32 sums: worst seen 3e-4 at 50 dB


def test_noise_shorter_than_the_speech_is_repeated_from_its_start() -> None:
    short = NOISE[:1000]
    mixed = mix_noise(speech(), short, snr_db=0, start=300)
    added = mixed - speech()
    np.testing.assert_allclose(added[:700] * short[300] / added[0], short[300:], rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(added[700:1700], added[1700:2700], rtol=0, atol=1e-6)


def test_silent_speech_and_silent_noise_leave_the_speech_as_it_was() -> None:
    silence = np.zeros(16_000, np.float32)
    np.testing.assert_array_equal(mix_noise(silence, NOISE, snr_db=10), silence)
    np.testing.assert_array_equal(mix_noise(speech(), silence, snr_db=10), speech())


def test_mixing_leaves_its_inputs_alone() -> None:
    samples, noise = speech(), NOISE.copy()
    mix_noise(samples, noise, snr_db=0)
    add_reverberation(samples, ROOM)
    np.testing.assert_array_equal(samples, speech())
    np.testing.assert_array_equal(noise, NOISE)


def test_a_room_is_the_convolution_with_its_response_aligned_and_as_loud() -> None:
    samples = speech()[8_000:12_000]
    direct = int(np.abs(ROOM).argmax())
    assert direct > 0  # else this says nothing of alignment
    expected = np.convolve(samples.astype(np.float64), ROOM.astype(np.float64))[direct : direct + len(samples)]
    expected *= np.sqrt(np.mean(samples.astype(np.float64) ** 2) / np.mean(expected**2))
    np.testing.assert_allclose(add_reverberation(samples, ROOM), expected, rtol=0, atol=1e-5)  # float32 FFT: seen 2e-7


def test_an_impulse_however_late_and_however_strong_is_no_room() -> None:
    impulse = np.zeros(3000, np.float32)
    impulse[1234] = -0.3
    np.testing.assert_allclose(add_reverberation(speech(), impulse), -speech(), rtol=0, atol=1e-6)


def test_silence_in_a_room_is_silence() -> None:
    np.testing.assert_array_equal(add_reverberation(np.zeros(100, np.float32), ROOM), np.zeros(100))
    assert len(add_reverberation(np.zeros(0, np.float32), ROOM)) == 0


@settings(max_examples=60, deadline=None)
@given(
    length=st.integers(0, 5000),
    rates=st.tuples(*2 * [st.sampled_from([8_000, 11_025, 16_000, 22_050, 44_100, 48_000])]),
)
def test_a_resampled_sound_is_as_long_as_the_rates_say(length: int, rates: tuple[int, int]) -> None:
    samples = speech()[10_000 : 10_000 + length]
    assert len(resample(samples, *rates)) == pytest.approx(length * rates[1] / rates[0], abs=0.5 + 1e-9)


def test_resampling_equals_soxrs_own() -> None:
    np.testing.assert_array_equal(resample(speech(), 16_000, 44_100), soxr.resample(speech(), 16_000, 44_100))


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(0, 58_981), max_size=5))
def test_resampling_in_blocks_equals_resampling_the_whole(cuts: list[int]) -> None:
    blocks = np.split(speech(), sorted(cuts))
    np.testing.assert_array_equal(
        np.concatenate(list(resample_blocks(blocks, 16_000, 11_025))), resample(speech(), 16_000, 11_025)
    )


@pytest.mark.parametrize("factor", [0.9, 1.1, 1.25])
def test_speed_changes_length_and_pitch_together(factor: float) -> None:
    time = np.arange(32_000) / 16_000
    tone = np.sin(2 * np.pi * 440 * time).astype(np.float32)
    faster = change_speed(tone, factor)
    assert len(faster) == round(32_000 / factor)
    expected = np.sin(2 * np.pi * 440 * factor * np.arange(len(faster)) / 16_000)
    np.testing.assert_allclose(faster[1000:-1000], expected[1000:-1000], rtol=0, atol=1e-4)  # away from the hard ends


def test_speed_there_and_back_is_the_speech() -> None:
    assert snr_db(speech(), change_speed(change_speed(speech(), 0.8), 1.25)) > 30  # worst seen 40: the filters' edges


@pytest.mark.parametrize(("suffix", "least_db"), [("wav", 60), ("flac", 60), ("ogg", 20), ("opus", 18)])
def test_what_is_written_is_read_again(tmp_path: Path, suffix: str, least_db: float) -> None:
    path = tmp_path / "new" / f"speech.{suffix}"
    write_audio(path, speech(), sample_rate=16_000)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    assert soundfile.info(path).samplerate == 16_000
    samples = read_audio(path)
    assert len(samples) == len(speech())
    assert snr_db(speech(), samples) >= least_db


def test_long_recordings_are_written_whole_as_vorbis(tmp_path: Path) -> None:
    samples = np.zeros(2_600_000, np.float32)  # libsndfile 1.2.2 crashes when it encodes 2.1 million at once
    samples[-58_981:] = speech()
    write_audio(tmp_path / "long.ogg", samples, sample_rate=16_000)
    assert snr_db(samples, read_audio(tmp_path / "long.ogg")) >= 20


def test_what_is_too_loud_is_clipped_and_not_wrapped_round(tmp_path: Path) -> None:
    write_audio(tmp_path / "loud.wav", np.array([1.5, -1.5, 0.5], np.float32), sample_rate=16_000)
    np.testing.assert_allclose(read_audio(tmp_path / "loud.wav"), [1.0, -1.0, 0.5], rtol=0, atol=1e-4)
