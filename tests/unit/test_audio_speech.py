"""The detector of speech against the streaming model of the same package, and the stretches made of its judgement."""

import hashlib
import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from asr_s2s.audio import SampleRange, SpeechDetector, lasting_probability, levelled, read_audio, speech_segments
from asr_s2s.audio.speech import CONTEXT, FRAME, MODEL_FILE
from asr_s2s.runtime import onnxruntime

pytestmark = pytest.mark.unit

DATA = Path(__file__).parents[1] / "data"
SPOKEN = DATA / "common_voice_en_37266650.ogg"


def package_file(name: str) -> Path:
    """Find a file of the silero-vad package, which need not be imported for it."""
    found = importlib.util.find_spec("silero_vad")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "data" / name


def test_the_model_that_ships_is_the_one_of_the_package() -> None:
    assert MODEL_FILE.read_bytes() == package_file("silero_vad_16k_sequence.onnx").read_bytes()
    digest = hashlib.sha256(MODEL_FILE.read_bytes()).hexdigest()
    assert digest in MODEL_FILE.with_name("README.md").read_text(encoding="utf-8")


def streamed(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give what the model made for streams finds, frame by frame."""
    options = onnxruntime().SessionOptions()
    options.log_severity_level = 3
    model = onnxruntime().InferenceSession(
        str(package_file("silero_vad.onnx")), options, providers=["CPUExecutionProvider"]
    )
    state, context, found = np.zeros((2, 1, 128), np.float32), np.zeros((1, CONTEXT), np.float32), []
    for frame in np.pad(samples, (0, -len(samples) % FRAME)).reshape(-1, 1, FRAME):
        inputs = {"input": np.concatenate([context, frame], axis=1), "state": state, "sr": np.array(16_000)}
        probability, state = model.run(None, inputs)
        context = frame[:, -CONTEXT:]
        found.append(float(probability[0, 0]))
    return np.array(found, np.float32)


def test_the_probabilities_are_those_of_the_streaming_model() -> None:
    samples = read_audio(SPOKEN)
    found = SpeechDetector()(samples)
    np.testing.assert_allclose(found, streamed(samples), atol=1e-4)
    assert found.min() < 0.1
    assert found.max() > 0.9


def test_blocks_give_what_the_whole_gives() -> None:
    samples = read_audio(SPOKEN)
    detector = SpeechDetector()
    parts = [detector(samples[start : start + 5 * FRAME]) for start in range(0, len(samples), 5 * FRAME)]
    np.testing.assert_allclose(np.concatenate(parts), SpeechDetector()(samples), atol=1e-6)


def test_nobody_speaks_over_dishes_and_in_digital_silence() -> None:
    for samples in (read_audio(DATA / "dishes.ogg"), np.zeros(32_000, np.float32)):
        assert speech_segments(SpeechDetector()(samples), len(samples)) == []


def test_every_word_of_real_recordings_is_inside() -> None:
    # the corpus's own word times, in seconds
    for name, first, last in (("lbby5a", 0.58, 1.74), ("swbc1s", 0.63, 1.92), ("prac8p", 0.66, 1.8)):
        samples = read_audio(DATA / f"{name}.ogg")
        (found,) = speech_segments(SpeechDetector()(samples), len(samples))
        assert found.start <= first * 16_000
        assert found.end >= last * 16_000


@given(values=st.lists(st.sampled_from([0.0, 0.3, 0.5, 1.0]), max_size=300), more=st.integers(0, FRAME - 1))
def test_stretches_are_in_order_apart_and_inside_and_hold_every_certain_long_speech(
    values: list[float], more: int
) -> None:
    probabilities = np.array(values, np.float32)
    num_samples = max(len(values) * FRAME - more, 0)
    found = speech_segments(probabilities, num_samples)
    edges = [edge for segment in found for edge in (segment.start, segment.end)]
    assert edges == sorted(set(edges))
    assert not edges or (edges[0] >= 0 and edges[-1] <= num_samples)
    for frame in range(len(values) - 8):
        if min(values[frame : frame + 8]) == 1.0:  # 256 ms, more than a click
            assert any(s.start <= frame * FRAME and s.end >= min((frame + 8) * FRAME, num_samples) for s in found)


def test_a_click_is_no_speech_and_a_short_pause_is_no_end() -> None:
    click = np.zeros(200, np.float32)
    click[50:52] = 1.0
    assert speech_segments(click, 200 * FRAME) == []
    pause = np.ones(200, np.float32)
    pause[100:110] = 0.0  # 0.32 s
    assert speech_segments(pause, 200 * FRAME) == [SampleRange(0, 200 * FRAME)]
    pause[100:150] = 0.0  # 1.6 s
    assert len(speech_segments(pause, 200 * FRAME)) == 2


def test_a_short_sound_is_speech_where_the_detector_is_sure() -> None:
    for probability, found in ((0.9, []), (0.96, [SampleRange(50 * FRAME, 54 * FRAME)])):
        word = np.zeros(200, np.float32)
        word[50:54] = probability  # 0.13 s
        assert speech_segments(word, 200 * FRAME, margin_seconds=0.0) == found


@given(st.lists(st.sampled_from([0.1, 0.45, 0.6, 0.9]), max_size=60))
def test_what_lasts_at_the_threshold_is_a_stretch_of_speech(values: list[float]) -> None:
    probabilities = np.array(values, np.float32)
    if lasting_probability(probabilities, seconds=0.32) >= 0.5:
        assert speech_segments(probabilities, len(values) * FRAME)
    assert lasting_probability(probabilities, seconds=0.0) == probabilities.max(initial=0.0)


def test_soft_sound_is_raised_to_one_level_and_loud_sound_stays() -> None:
    random = np.random.default_rng(0)
    samples = random.normal(0, 0.1, 16_000 * 20).clip(-0.4, 0.4).astype(np.float32)
    gains = np.repeat([1.0, 0.003], 16_000 * 10).astype(np.float32)
    level = levelled(samples * gains)
    np.testing.assert_array_equal(level[: 16_000 * 8], samples[: 16_000 * 8])
    soft = np.abs(level[16_000 * 12 :]).reshape(-1, 16_000).max(axis=1)  # far from the step
    np.testing.assert_allclose(soft, 0.2, rtol=0.3)
    np.testing.assert_allclose(levelled(samples * np.float32(0.01)), levelled(samples * np.float32(0.02)), rtol=1e-3)
    assert np.abs(levelled(np.full(16_000, 1e-6, np.float32))).max() < 2e-3  # the noise of a recording stays soft
