"""The silence of a window, merged: what few frames do is what all of them did."""

import math

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from asr_s2s.models import MergedSilence, ModelConfig, SpeechModel

pytestmark = pytest.mark.unit

MELS, VOCABULARY, WINDOW = 8, 12, 100  # encoded frames; twice as many feature frames
SIZES = {"kind": "transformer", "channels": 16, "heads": 2, "layers": 2, "feedforward": 24, "dropout": 0.0}
SILENT = -1.5  # the value of a silent mel
TOLERANCE = {"atol": 2e-5, "rtol": 0.0}


def model(frames: int | None) -> SpeechModel:
    """Give a model with the same weights for every number of frames."""
    torch.manual_seed(0)
    silence = frames and {"window": WINDOW, "frames": frames}
    encoder = SIZES | {"stem": {"kind": "conv1d", "factor": 2}}
    config = ModelConfig.model_validate({"encoder": encoder, "decoder": SIZES, "silence": silence})
    return config.build(MELS, VOCABULARY).eval()


def speech(*lengths: int, tail: int = 8) -> tuple[Tensor, Tensor]:
    """Give features (batch, time, mel) of lengths (batch,), silence of `tail` frames after each counted."""
    generator = torch.Generator().manual_seed(1)
    features = torch.full((len(lengths), max(lengths) + tail, MELS), SILENT)
    for row, length in enumerate(lengths):
        features[row, :length] = torch.randn(length, MELS, generator=generator)
    return features, torch.tensor(lengths) + tail


def padded(features: Tensor) -> tuple[Tensor, Tensor]:
    """Fill the window, and a little more: its last frame would see zeros behind it."""
    full = torch.full((len(features), 2 * WINDOW, MELS), SILENT)
    full[:, : features.size(1)] = features
    return full, torch.full((len(features),), 2 * WINDOW)


@torch.no_grad()
def test_as_many_frames_as_the_window_has_left_give_what_padding_gives() -> None:
    features, lengths = speech(52)  # 30 encoded frames of 100
    exact, exact_lengths = model(70).encode(features, lengths)
    full, full_lengths = model(None).encode(*padded(features))
    assert exact_lengths.tolist() == full_lengths.tolist() == [WINDOW]
    # an utterance's last frame, and the window's, hear zeros behind them, and all others see those two a little
    torch.testing.assert_close(exact[:, :29], full[:, :29], atol=0.05, rtol=0.0)


@torch.no_grad()
def test_few_frames_come_near_to_it_and_their_counts_are_what_does_it() -> None:
    features, lengths = speech(52)
    full, _ = model(None).encode(*padded(features))

    def distance(merged: SpeechModel) -> float:
        encoder_out, _ = merged.encode(features, lengths)
        return float((encoder_out[:, :30] - full[:, :30]).abs().mean())

    few, alone = model(10), model(10)
    for layer in alone.encoder.layers:
        layer.silence = NoCounts(WINDOW, 10)
    assert distance(few) < 0.2 * distance(model(None))
    assert distance(few) < 0.5 * distance(alone)


class NoCounts(MergedSilence):
    """Frames that stand for one frame each."""

    def scores(self, lengths: Tensor, time: int) -> Tensor:
        return super().scores(lengths, time).clamp(max=0.0)


def test_the_counts_add_up_to_the_window_and_the_positions_are_in_the_middle_of_what_they_stand_for() -> None:
    silence, lengths = MergedSilence(WINDOW, 10), torch.tensor([30, 80])
    counts = silence.scores(lengths, 85).exp()[:, 0, 0]
    torch.testing.assert_close(counts.sum(dim=1), torch.tensor([100.0, 100.0]))
    assert counts[0, 30:].tolist() == [0.0] * 55
    torch.testing.assert_close(counts[0, 20:30], torch.full((10,), 8.0))
    positions = silence.positions(lengths, 85)
    assert positions[0, :20].tolist() == list(range(20))
    assert positions[0, 20:30].tolist() == [23.5 + 8 * place for place in range(10)]
    assert positions[0, 29] < WINDOW


@torch.no_grad()
def test_where_the_utterance_fills_the_window_the_frames_count_nothing() -> None:
    features, lengths = speech(2 * WINDOW - 8)
    merged, _ = model(10).encode(features, lengths)
    plain, _ = model(None).encode(features, lengths)
    torch.testing.assert_close(merged[:, :WINDOW], plain, **TOLERANCE)
    assert merged.isfinite().all()


@torch.no_grad()
@pytest.mark.parametrize("frames", [1, 10])
def test_an_utterance_is_the_same_alone_and_in_a_batch_for_encoder_and_decoder(frames: int) -> None:
    merged = model(frames)
    features, lengths = speech(52, 17, 90)
    tokens = torch.tensor([[1, 5, 7, 3]])
    together = merged(features, lengths, tokens.expand(3, 4), with_attention=True)
    for row, length in enumerate(lengths.tolist()):
        alone = merged(features[row : row + 1, :length], lengths[row : row + 1], tokens, with_attention=True)
        end = int(together.encoder_lengths[row])
        torch.testing.assert_close(together.encoder_out[row, :end], alone.encoder_out[0], **TOLERANCE)
        torch.testing.assert_close(together.logits[row], alone.logits[0], **TOLERANCE)
        torch.testing.assert_close(together.attention[row, :, :end], alone.attention[0], **TOLERANCE)
        assert not together.encoder_out[row, end:].any()


@torch.no_grad()
def test_the_decoder_weighs_the_frames_by_their_counts_in_a_search_as_in_training() -> None:
    merged = model(10)
    encoder_out, lengths = merged.encode(*speech(52, 17))
    tokens = torch.tensor([[1, 5, 7], [1, 4, 2]])
    state, steps = merged.decoder.start(encoder_out, lengths), []
    for token in tokens.T:
        step = merged.decoder.step(token[:, None], state)
        state, steps = step.state, [*steps, step.logits[:, 0]]
    torch.testing.assert_close(torch.stack(steps, dim=1), merged.decoder(tokens, encoder_out, lengths).logits)
    weights = merged.decoder(tokens, encoder_out, lengths, with_attention=True).attention
    repeated = torch.cat([encoder_out[:1, :30], encoder_out[:1, 30:40].repeat_interleave(7, dim=1)], dim=1)
    plain = model(None).decoder(tokens[:1], repeated, torch.tensor([WINDOW]), with_attention=True)
    torch.testing.assert_close(weights[0, :, :30], plain.attention[0, :, :30], **TOLERANCE)
    assert math.isclose(float(weights[0, 0].sum()), 1.0, abs_tol=1e-5)


def test_other_networks_refuse_it() -> None:
    with pytest.raises(ValidationError, match="this model has 'gru' and 'transformer'"):
        ModelConfig.model_validate({"encoder": {"kind": "gru"}, "decoder": SIZES, "silence": {}})
