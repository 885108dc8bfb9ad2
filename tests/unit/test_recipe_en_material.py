"""What the shipped model learns silence from: pauses in which nobody speaks, noises at some level."""

import sys
from pathlib import Path

import numpy as np
import pytest

from asr_s2s.audio import read_audio, write_audio
from asr_s2s.manifest import Utterance

pytestmark = pytest.mark.unit

DATA = Path(__file__).parents[1] / "data"
sys.path.insert(0, str(Path(__file__).parents[2] / "recipes" / "en"))

import material  # noqa: E402 - a recipe, which is no package
import speechless  # noqa: E402


def clip(path: Path, name: str = "clip") -> Utterance:
    return Utterance(name, path, text="spoken", extra={"dev": False, "set": "test"})


def test_a_pause_is_the_longest_stretch_in_which_nobody_speaks(tmp_path: Path) -> None:
    spoken = read_audio(DATA / "arctic_a0015_1592748256.ogg")
    noise = np.random.default_rng(0).normal(0, 1e-3, 16_000 * 4).astype(np.float32)
    write_audio(tmp_path / "two.flac", np.concatenate([spoken, noise, spoken]), sample_rate=16_000)
    write_audio(tmp_path / "noise.flac", noise, sample_rate=16_000)
    clips = [clip(tmp_path / "two.flac", "two"), clip(tmp_path / "noise.flac", "noise")]
    (found,) = speechless.pauses(clips, 2, np.random.default_rng(0))
    assert (found.id, found.text) == ("pause-two", "")
    start, end = len(spoken) / 16_000, len(spoken) / 16_000 + 4
    assert start - 0.6 < found.offset
    assert found.offset + (found.duration or 0) < end + 0.3
    assert (found.duration or 0) > 2.5


def test_a_piece_of_noise_has_no_text_and_a_level_within_bounds(tmp_path: Path) -> None:
    noise = clip(DATA / "noise.flac", "noise")
    for number in range(5):
        piece = speechless.of_noise([noise], number, np.random.default_rng(number), folder=tmp_path)
        samples = read_audio(piece.audio_path)
        assert piece.text == ""
        assert piece.duration == pytest.approx(len(samples) / 16_000)
        assert 10 ** (-51 / 20) < np.abs(samples).max() < 1.0


@pytest.mark.parametrize(("seconds", "kept"), [(0.3, False), (0.5, True)])
def test_a_text_that_nobody_can_say_so_quickly_teaches_nothing(seconds: float, kept: bool) -> None:
    piece = Utterance("piece", DATA / "noise.flac", duration=seconds)
    heard = Utterance("piece", DATA / "noise.flac", pred_text="What did you do?")
    assert (material.with_text(piece, heard) is not None) == kept
