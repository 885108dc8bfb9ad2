"""The promises of an encoder, held by every member of EncoderConfig with every kind of stem."""

from typing import get_args

import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor, nn

from asr_s2s.config import PartConfig
from asr_s2s.models.encoders import EncoderConfig

pytestmark = pytest.mark.unit

NUM_MELS = 10
MEMBERS = get_args(get_args(EncoderConfig)[0])
SIZES = {"channels": 16, "layers": 2, "heads": 2, "feedforward": 24}
STEMS = (
    {"kind": "conv2d", "factor": 4, "maps": 3},
    {"kind": "conv2d", "factor": 2, "maps": 3},
    {"kind": "conv2d", "factor": 1, "maps": 3},
    {"kind": "conv1d", "factor": 2},
    {"kind": "conv1d", "factor": 8},
    {"kind": "none"},
)
RECURRENT = ({"pyramid_layers": 1}, {"bidirectional": False}, {"pyramid_layers": 1, "bidirectional": False})
CASES = [
    *((member, {"stem": stem}) for member in MEMBERS for stem in STEMS),
    *((member, options) for member in MEMBERS for options in RECURRENT if options.keys() <= member.model_fields.keys()),
]
# Worst seen 2e-6: matrix products of another size add up in another order.
TOLERANCE = {"atol": 2e-5, "rtol": 0.0}


def kind(member: type[PartConfig]) -> str:
    return get_args(member.model_fields["kind"].annotation)[0]


def case_name(case: tuple[type[PartConfig], dict]) -> str:
    member, options = case
    return "-".join(map(str, [kind(member), *(options.get("stem", options)).values()]))


@pytest.fixture(params=CASES, ids=case_name)
def encoder(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(0)
    member, options = request.param
    sizes = {field: size for field, size in SIZES.items() if field in member.model_fields}
    built = member.model_validate({"kind": kind(member), **sizes, **options}).build(NUM_MELS)
    for weight in built.parameters():  # fresh biases are zero, which would hide a leak of padding through them
        if weight.ndim == 1:
            nn.init.normal_(weight, std=0.5)
    return built.eval()


def utterances(*lengths: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(length, NUM_MELS, generator=generator) for length in lengths]


def encode(encoder: nn.Module, batch: list[Tensor], *, padding: float = 0.0) -> tuple[Tensor, Tensor]:
    lengths = torch.tensor([len(features) for features in batch])
    return encoder(nn.utils.rnn.pad_sequence(batch, batch_first=True, padding_value=padding), lengths)


def test_an_utterance_is_encoded_alone_as_in_a_batch(encoder: nn.Module) -> None:
    batch = utterances(33, 64, 17, 50)
    together, lengths = encode(encoder, batch)
    for index, features in enumerate(batch):
        alone, alone_lengths = encode(encoder, [features])
        assert alone_lengths[0] == lengths[index]
        torch.testing.assert_close(together[index, : lengths[index]], alone[0], **TOLERANCE)


def test_upper_layers_go_on_from_lower_ones(encoder: nn.Module) -> None:
    features = nn.utils.rnn.pad_sequence(utterances(33, 64, 17, 50), batch_first=True)
    lengths = torch.tensor([33, 64, 17, 50])
    whole = encoder(features, lengths)
    for layers in range(SIZES["layers"] + 1):
        parts = encoder.upper(*encoder.lower(features, lengths, layers=layers), layers=layers)
        assert all(torch.equal(part, one) for part, one in zip(parts, whole, strict=True))


def test_what_stands_in_the_padding_is_ignored(encoder: nn.Module) -> None:
    batch = utterances(33, 64)
    torch.testing.assert_close(encode(encoder, batch, padding=1e4), encode(encoder, batch), **TOLERANCE)


def test_frames_beyond_the_length_come_out_zero(encoder: nn.Module) -> None:
    encoder_out, lengths = encode(encoder, utterances(33, 64, 17, 50))
    for frames, length in zip(encoder_out, lengths, strict=True):
        assert frames[:length].abs().sum(dim=1).min() > 0
        assert torch.count_nonzero(frames[length:]) == 0


def test_lengths_follow_the_reduction(encoder: nn.Module) -> None:
    lengths = torch.arange(1, 70)
    predicted = encoder.output_lengths(lengths)
    encoder_out, encoder_lengths = encode(encoder, utterances(*range(1, 70)))
    assert torch.equal(encoder_lengths, predicted)
    assert encoder_out.shape == (69, int(predicted.max()), encoder.channels)


def test_a_very_short_utterance_is_encoded(encoder: nn.Module) -> None:
    for length in range(1, 9):
        encoder_out, lengths = encode(encoder, utterances(length))
        assert lengths[0] >= 1
        assert encoder_out.isfinite().all()


def test_gradients_reach_every_weight(encoder: nn.Module) -> None:
    encoder_out, _ = encode(encoder, utterances(33, 64))
    (encoder_out * torch.randn(encoder_out.shape, generator=torch.Generator().manual_seed(2))).sum().backward()
    without = [each for each, weight in encoder.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert without == []


def test_gradients_do_not_come_from_other_utterances(encoder: nn.Module) -> None:
    first, second = (features.requires_grad_() for features in utterances(33, 64))
    encode(encoder, [first, second])[0][0].square().sum().backward()
    assert first.grad is not None
    assert first.grad.abs().sum(dim=1).min() > 0
    assert second.grad is None or not second.grad.any()


CHANGES = {
    "channels": 32,
    "layers": 3,
    "heads": 4,
    "feedforward": 40,
    "kernel": 5,
    "dropout": 0.5,
    "bidirectional": False,
    "pyramid_layers": 1,
    "stem": {"kind": "conv2d", "factor": 2},
}


@pytest.mark.parametrize("member", MEMBERS, ids=kind)
def test_every_field_of_the_config_shapes_the_encoder(member: type[PartConfig]) -> None:
    base = {"kind": kind(member)} | {field: size for field, size in SIZES.items() if field in member.model_fields}
    plain = repr(member.model_validate(base).build(NUM_MELS))
    for field in member.model_fields.keys() - {"kind"}:
        assert repr(member.model_validate(base | {field: CHANGES[field]}).build(NUM_MELS)) != plain, field


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"kind": "lstm", "channels": 9}, "channels is 9: two directions need an even number"),
        ({"kind": "gru", "layers": 2, "pyramid_layers": 2}, r"needs at least 3 layers \(got 2\)"),
        ({"kind": "transformer", "channels": 20, "heads": 3}, "channels is 20, which does not divide into 3 heads"),
        ({"kind": "conformer", "channels": 20, "heads": 3}, "channels is 20, which does not divide into 3 heads"),
        ({"kind": "conformer", "kernel": 8}, "kernel is 8: an odd number"),
    ],
)
def test_sizes_that_do_not_fit_are_refused_with_their_numbers(config: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        TypeAdapter(EncoderConfig).validate_python(config)
