"""Every encoder with every decoder and every attention: the whole model keeps the promises that its parts make."""

from typing import Any

import pytest
import torch
from torch import Tensor

from asr_s2s.config import check_config
from asr_s2s.errors import ConfigError
from asr_s2s.models import LossConfig, ModelConfig, SpeechModel, total_loss, with_start_and_end
from asr_s2s.models.losses import GuidedAttentionConfig
from asr_s2s.models.speech_model import LengthHead

pytestmark = pytest.mark.unit

MELS, VOCABULARY = 8, 11
FEATURE_LENGTHS = torch.tensor([45, 30])
TOKENS = torch.tensor([[5, 6, 6, 7], [8, 5, 0, 0]])
TOKEN_LENGTHS = torch.tensor([4, 2])
CLOSE = {"atol": 2e-5, "rtol": 1e-4}  # float32 through convolutions and several layers, in shapes of other sizes
STEM = {"kind": "conv2d", "factor": 4, "maps": 4}
ENCODERS: dict[str, dict[str, Any]] = {
    "lstm": {"kind": "lstm", "channels": 8, "layers": 2, "pyramid_layers": 1, "stem": STEM},
    "gru": {"kind": "gru", "channels": 8, "layers": 1, "stem": STEM},
    "transformer": {
        "kind": "transformer",
        "channels": 8,
        "heads": 2,
        "layers": 1,
        "feedforward": 16,
        "stem": STEM,
    },
    "conformer": {
        "kind": "conformer",
        "channels": 8,
        "heads": 2,
        "layers": 1,
        "feedforward": 16,
        "kernel": 5,
        "stem": STEM,
    },
}
DECODERS: dict[str, dict[str, Any]] = {
    "transformer": {
        "decoder": {"kind": "transformer", "channels": 8, "heads": 2, "layers": 1, "feedforward": 16, "max_tokens": 20}
    },
    **{
        f"{cell} {attention}": {
            "decoder": {"kind": "rnn", "cell": cell, "channels": 8, "embedding": 6},
            "attention": {"kind": attention, "channels": 8},
        }
        for cell in ("lstm", "gru")
        for attention in ("dot", "additive", "location", "multihead", "none")
    },
}


def build(encoder: str, decoder: str, **heads: bool) -> SpeechModel:
    torch.manual_seed(11)
    config = ModelConfig.model_validate({"encoder": ENCODERS[encoder], **DECODERS[decoder], **heads})
    return config.build(MELS, VOCABULARY).eval()


def features() -> Tensor:
    frames = torch.randn(2, 45, MELS, generator=torch.Generator().manual_seed(4))
    return frames.masked_fill((torch.arange(45) >= FEATURE_LENGTHS[:, None])[..., None], 0.0)


@pytest.fixture(
    params=[(encoder, decoder) for encoder in ENCODERS for decoder in DECODERS],
    ids=[f"{encoder} encoder, {decoder} decoder" for encoder in ENCODERS for decoder in DECODERS],
)
def model(request: pytest.FixtureRequest) -> SpeechModel:
    return build(*request.param, ctc=True, length=True)


def test_an_utterance_alone_gets_what_it_gets_in_a_batch(model: SpeechModel) -> None:
    inputs, _, _ = with_start_and_end(TOKENS, TOKEN_LENGTHS, start_tokens=(1,), end_token=2)
    together = model(features(), FEATURE_LENGTHS, inputs, with_attention=True)
    for index in range(2):
        one = slice(index, index + 1)
        length, frames = TOKEN_LENGTHS[index] + 1, together.encoder_lengths[index]
        alone = model(
            features()[one, : FEATURE_LENGTHS[index]], FEATURE_LENGTHS[one], inputs[one, :length], with_attention=True
        )
        assert alone.encoder_lengths.tolist() == [frames]
        torch.testing.assert_close(alone.logits, together.logits[one, :length], **CLOSE)
        torch.testing.assert_close(alone.ctc_logits, together.ctc_logits[one, :frames], **CLOSE)
        torch.testing.assert_close(alone.predicted_lengths, together.predicted_lengths[one], **CLOSE)
        if together.attention is not None:
            torch.testing.assert_close(alone.attention, together.attention[one, :length, :frames], **CLOSE)


def test_step_by_step_equals_teacher_forcing(model: SpeechModel) -> None:
    inputs, _, _ = with_start_and_end(TOKENS, TOKEN_LENGTHS, start_tokens=(1,), end_token=2)
    forced = model(features(), FEATURE_LENGTHS, inputs).logits
    state = model.decoder.start(*model.encode(features(), FEATURE_LENGTHS))
    for position in range(inputs.size(1)):
        step = model.decoder.step(inputs[:, position : position + 1], state)
        state = step.state
        torch.testing.assert_close(step.logits[:, 0], forced[:, position], **CLOSE)


def test_gradients_reach_every_weight(model: SpeechModel) -> None:
    inputs, targets, target_lengths = with_start_and_end(TOKENS, TOKEN_LENGTHS, start_tokens=(1,), end_token=2)
    losses = total_loss(
        model(features(), FEATURE_LENGTHS, inputs),
        tokens=TOKENS,
        token_lengths=TOKEN_LENGTHS,
        targets=targets,
        target_lengths=target_lengths,
        config=LossConfig(),
        epoch=0,
    )
    assert list(losses.parts) == ["cross_entropy", "ctc", "length"]
    assert losses.ctc_left_out == 0
    losses.total.backward()
    untouched = [name for name, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert untouched == []


@pytest.mark.parametrize("decoder", ["transformer", "lstm location"])
def test_guided_attention_alone_trains_the_attention(decoder: str) -> None:
    model = build("lstm", decoder)
    inputs, targets, target_lengths = with_start_and_end(TOKENS, TOKEN_LENGTHS, start_tokens=(1,), end_token=2)
    losses = total_loss(
        model(features(), FEATURE_LENGTHS, inputs, with_attention=True),
        tokens=TOKENS,
        token_lengths=TOKEN_LENGTHS,
        targets=targets,
        target_lengths=target_lengths,
        config=LossConfig(guided_attention=GuidedAttentionConfig()),
        epoch=0,
    )
    losses.parts["guided_attention"].backward()
    name = "decoder.attention.key.weight" if decoder != "transformer" else "decoder.layers.0.cross_attention.key.weight"
    assert model.get_parameter(name).grad.any()


def test_the_length_head_counts_real_frames_only() -> None:
    """A constant weight per frame gives a length in proportion to the frames."""
    model = build("gru", "transformer", length=True)
    assert model.length_head is not None
    torch.nn.init.zeros_(model.length_head.weight.weight)
    torch.nn.init.zeros_(model.length_head.weight.bias)
    lengths = model.predict_lengths(*model.encode(features(), FEATURE_LENGTHS))
    torch.testing.assert_close(lengths, torch.tensor([12.0, 8.0]).mul(torch.tensor(2.0).log()))  # softplus(0) = log 2


def test_the_error_of_a_length_does_not_drown_the_other_gradients() -> None:
    """A frame can add one to the gradient at most, however wide: gradients are clipped together."""
    torch.manual_seed(0)
    head = LengthHead(256)
    head(torch.randn(1, 40, 256), torch.tensor([40])).sum().backward()
    assert head.weight.weight.grad.norm() <= 40


def test_ctc_log_probs_are_log_probabilities() -> None:
    model = build("gru", "transformer", ctc=True)
    encoder_out, _ = model.encode(features(), FEATURE_LENGTHS)
    torch.testing.assert_close(model.ctc_log_probs(encoder_out).exp().sum(-1), torch.ones(2, 12))


def test_a_model_without_heads_has_none_and_says_so() -> None:
    model = build("gru", "transformer")
    inputs, _, _ = with_start_and_end(TOKENS, TOKEN_LENGTHS, start_tokens=(1,), end_token=2)
    output = model(features(), FEATURE_LENGTHS, inputs)
    assert output.ctc_logits is None
    assert output.predicted_lengths is None
    assert output.attention is None
    assert model.predict_lengths(output.encoder_out, output.encoder_lengths) is None
    with pytest.raises(ConfigError, match=r"Set search\.ctc_weight to 0, or train a model with model\.ctc: true"):
        model.ctc_log_probs(output.encoder_out)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"decoder": {"kind": "rnn"}}, "model.yaml: attention: is missing, and decoder 'rnn' needs one"),
        (
            {"decoder": {"kind": "transformer"}, "attention": {"kind": "dot"}},
            "model.yaml: attention: decoder 'transformer' brings its own attention. Remove 'attention'",
        ),
        ({"decoder": {"kind": "rnn"}, "attention": {"kind": "dot", "chanels": 3}}, "did you mean 'channels'"),
    ],
)
def test_attention_and_decoder_must_suit_each_other(part: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_config({"encoder": {"kind": "lstm"}, **part}, ModelConfig, origin="model.yaml")
    assert message in str(caught.value)
