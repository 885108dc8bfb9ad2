import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import image
from torch import Tensor

from asr_s2s.errors import MissingExtraError
from asr_s2s.manifest import Word
from asr_s2s.pictures import RecordingPicture, draw_recording, require_plotting, spread_out
from asr_s2s.training.plots import WITHOUT_PICTURES, draw_attention, draw_error_rates, draw_losses

pytestmark = pytest.mark.unit


def pixels(path: Path) -> np.ndarray:
    assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    return image.imread(path)[:, :, :3]


def attention_pixels(folder: Path, attention: Tensor | None, *, seed: int = 0) -> np.ndarray:
    path = folder / "attention.png"
    features = torch.randn(120, 20, generator=torch.Generator().manual_seed(seed))
    draw_attention(path, attention=attention, features=features, labels=list("bin"), frame_shift=0.01, title="bin [x]")
    return pixels(path)


def bright_columns(picture: np.ndarray) -> np.ndarray:
    """Find the columns of the lower two thirds that are yellow, the colour of the largest weight."""
    lower = picture[picture.shape[0] // 3 :]
    yellow = (lower[..., 0] > 0.9) & (lower[..., 1] > 0.8) & (lower[..., 2] < 0.3)
    return np.flatnonzero(yellow.any(axis=0)) / picture.shape[1]


def test_the_attention_picture_shows_where_the_weights_are(tmp_path: Path) -> None:
    early = torch.zeros(3, 30)
    early[:, 2] = 1
    late = early.flip(1)
    assert bright_columns(attention_pixels(tmp_path, early)).max() < 0.3
    assert bright_columns(attention_pixels(tmp_path, late)).min() > 0.7


def test_the_attention_picture_shows_the_spectrogram_above(tmp_path: Path) -> None:
    attention = torch.full((3, 30), 1 / 30)
    first, again = attention_pixels(tmp_path, attention), attention_pixels(tmp_path, attention)
    other = attention_pixels(tmp_path, attention, seed=1)
    assert np.array_equal(first, again)
    changed = (first != other).any(axis=(1, 2)).nonzero()[0]
    assert len(changed) > 50
    assert changed.max() < 0.45 * len(first)


def test_a_decoder_without_attention_gets_its_spectrogram_alone(tmp_path: Path) -> None:
    assert len(bright_columns(attention_pixels(tmp_path, None))) == 0


def test_the_curves_follow_the_records(tmp_path: Path) -> None:
    def curves(cer: float) -> tuple[np.ndarray, np.ndarray]:
        train = [{"step": step, "cross_entropy_loss": 3 - step * cer} for step in (1, 2, 3)]
        evaluations = [{"step": 3, "dev_cross_entropy_loss": 1.0, "wer": 0.5, "cer": cer}, {"step": 4, "wer": None}]
        draw_losses(tmp_path / "loss.png", train=train, evaluations=evaluations)
        draw_error_rates(tmp_path / "wer.png", evaluations=evaluations)
        return pixels(tmp_path / "loss.png"), pixels(tmp_path / "wer.png")

    for one, other in zip(curves(0.1), curves(0.4), strict=True):
        assert not np.array_equal(one, other)
    for one, other in zip(curves(0.1), curves(0.1), strict=True):
        assert np.array_equal(one, other)


def shown_texts(path: Path) -> list[str]:
    """List what is written in an SVG picture: matplotlib notes each text beside its outline."""
    return re.findall(r"<!-- (.*?) -->", path.read_text())


def test_curves_are_marked_with_their_last_and_lowest_values(tmp_path: Path) -> None:
    evaluations = [
        {"step": step, "dev_ctc_loss": wer * 10, "wer": wer, "cer": wer / 2} for step, wer in ((3, 0.123), (7, 0.25))
    ]
    draw_losses(tmp_path / "loss.svg", train=[{"step": 1, "ctc_loss": 2.0}], evaluations=evaluations)
    assert "2.5" in shown_texts(tmp_path / "loss.svg")
    draw_error_rates(tmp_path / "wer.svg", evaluations=evaluations)
    assert {"25.0 %", "12.5 %", "words, lowest 12.3 % at step 3"} <= set(shown_texts(tmp_path / "wer.svg"))


def test_the_time_axis_counts_seconds_and_every_label_is_there(tmp_path: Path) -> None:
    words = [Word(name, start, start + 0.01) for name, start in (("one", 0.5), ("two", 0.51), ("three", 0.52))]
    samples = np.zeros(3 * 16_000, np.float32)
    attention = np.ones((2, 30), np.float32)
    picture = RecordingPicture(np.zeros((300, 20), np.float32), 0.01, ["a", "b"], attention, samples, words=words)
    draw_recording(tmp_path / "picture.svg", picture, title="", otherwise="do without")
    texts = shown_texts(tmp_path / "picture.svg")
    assert {"0.5", "1.5", "2.5", "time, s", "one", "two", "three", "a", "b"} <= set(texts)


@given(st.lists(st.floats(0, 1), max_size=20).map(sorted), st.floats(0, 0.2))
def test_labels_keep_their_order_and_distance_and_the_middle_of_all_of_them(
    places: list[float], distance: float
) -> None:
    found = spread_out(places, distance=distance)
    gaps = np.diff(found)
    assert (gaps >= distance - 1e-9).all()
    assert sum(found) == pytest.approx(sum(places))
    apart = all(gap >= distance for gap in np.diff(places))
    assert not apart or found == pytest.approx(places)


def test_without_the_extra_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "librosa.display", None)
    monkeypatch.setitem(sys.modules, "librosa", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'asr-s2s\[plot\]'.*training.plots=false"):
        require_plotting(otherwise=WITHOUT_PICTURES)


def test_words_stand_above_the_waveform_where_they_were_said(tmp_path: Path) -> None:
    def coloured(start: float) -> np.ndarray:
        features = np.zeros((120, 20), np.float32)
        word = Word("aurora", start, start + 0.2)
        samples = np.zeros(int(1.2 * 16_000), np.float32)
        picture = RecordingPicture(features, 0.01, ["a"], np.ones((1, 30), np.float32), samples=samples, words=[word])
        draw_recording(tmp_path / "heard.png", picture, title="", otherwise="do without")
        upper = pixels(tmp_path / "heard.png")
        upper = upper[upper.shape[0] // 8 : upper.shape[0] // 4]
        return np.flatnonzero((np.ptp(upper, axis=2) > 0.05).mean(axis=0) > 0.5) / upper.shape[1]

    early, late = coloured(0.1), coloured(0.9)
    assert len(early) == pytest.approx(len(late), abs=2)
    assert late.mean() - early.mean() == pytest.approx(0.8 / 1.2, abs=0.1)
