"""What every attention promises the rnn decoder, and each one's formula against a second implementation."""

import math
from typing import get_args

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from asr_s2s.models.attention import (
    AdditiveConfig,
    Attention,
    AttentionConfig,
    DotConfig,
    LocationConfig,
    Memory,
    MultiHeadConfig,
    NoneConfig,
)
from asr_s2s.models.attention.memory import first_history, next_history

pytestmark = pytest.mark.unit

QUERY, ENCODER, CHANNELS = 6, 8, 4
LENGTHS = torch.tensor([7, 4, 1])
CLOSE = {"atol": 1e-6, "rtol": 1e-5}  # float32 sums in another order
KINDS = [member.model_fields["kind"].annotation.__args__[0] for member in get_args(get_args(AttentionConfig)[0])]


def build(kind: str) -> nn.Module:
    torch.manual_seed(3)
    small = {
        "dot": DotConfig(kind="dot", channels=CHANNELS),
        "additive": AdditiveConfig(kind="additive", channels=CHANNELS),
        "location": LocationConfig(kind="location", channels=CHANNELS, filters=3, reach=2),
        "multihead": MultiHeadConfig(kind="multihead", channels=CHANNELS, heads=2),
        "none": NoneConfig(kind="none", channels=CHANNELS),
    }
    module = small[kind].build(QUERY, ENCODER)
    with torch.no_grad():
        for parameter in module.parameters():  # so that nothing hides behind a zero or a tiny start
            parameter.add_(0.3 * torch.randn_like(parameter))
    return module


def material(beam: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    """Give queries, an encoding with garbage beyond each length, and a history of two steps."""
    generator = torch.Generator().manual_seed(5)
    query = torch.randn(3, beam, QUERY, generator=generator)
    encoder_out = torch.randn(3, 7, ENCODER, generator=generator)
    frames = torch.arange(7) < LENGTHS[:, None]
    encoder_out[~frames] = 1e4
    history = first_history(frames).expand(-1, beam, -1, -1)
    for _ in range(2):
        weights = torch.rand(3, beam, 7, generator=generator) * frames[:, None]
        history = next_history(history, weights / weights.sum(-1, keepdim=True))
    return query, encoder_out, history


@pytest.fixture(params=KINDS)
def attention(request: pytest.FixtureRequest) -> Attention:
    return build(request.param)


def test_the_weights_are_shares_of_the_real_frames(attention: Attention) -> None:
    query, encoder_out, history = material()
    _, weights = attention(query, attention.memory(encoder_out, LENGTHS), history)
    if weights is None:  # attention none weighs nothing
        return
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones(3, 2))
    assert not weights[~(torch.arange(7) < LENGTHS[:, None])[:, None].expand_as(weights)].any()


def test_an_utterance_alone_gets_what_it_gets_in_a_batch(attention: Attention) -> None:
    query, encoder_out, history = material()
    context, weights = attention(query, attention.memory(encoder_out, LENGTHS), history)
    for index, length in enumerate(LENGTHS.tolist()):
        one = slice(index, index + 1)
        memory = attention.memory(encoder_out[one, :length], LENGTHS[one])
        alone, alone_weights = attention(query[one], memory, history[one, ..., :length])
        torch.testing.assert_close(alone, context[one], **CLOSE)
        if weights is not None:
            torch.testing.assert_close(alone_weights, weights[one, :, :length], **CLOSE)


def test_each_hypothesis_looks_for_itself(attention: Attention) -> None:
    query, encoder_out, history = material(beam=3)
    memory = attention.memory(encoder_out, LENGTHS)
    context, _ = attention(query, memory, history)
    for beam in range(3):
        one = slice(beam, beam + 1)
        alone, _ = attention(query[:, one], memory, history[:, one])
        torch.testing.assert_close(alone, context[:, one], **CLOSE)


def test_kept_utterances_get_what_they_got_before(attention: Attention) -> None:
    query, encoder_out, history = material()
    memory = attention.memory(encoder_out, LENGTHS)
    context, _ = attention(query, memory, history)
    kept = torch.tensor([2, 0])
    again, _ = attention(query[kept], memory.keep(kept), history[kept])
    torch.testing.assert_close(again, context[kept], **CLOSE)


def test_gradients_reach_every_weight(attention: Attention) -> None:
    assert isinstance(attention, nn.Module)
    query, encoder_out, history = material()
    context, _ = attention(query, attention.memory(encoder_out, LENGTHS), history)
    (context * torch.randn_like(context)).sum().backward()
    untouched = [name for name, weight in attention.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert untouched == []


def test_an_utterance_without_frames_gets_no_weight_and_no_nan(attention: Attention) -> None:
    query, encoder_out, history = material()
    context, weights = attention(query, attention.memory(encoder_out, torch.tensor([7, 4, 0])), history)
    assert context.isfinite().all()
    assert weights is None or not weights[2].any()


def test_weights_are_float32_under_bfloat16(attention: Attention) -> None:
    query, encoder_out, history = material()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        _, weights = attention(query, attention.memory(encoder_out, LENGTHS), history)
    assert weights is None or weights.dtype == torch.float32


def test_dot_equals_torch_scaled_dot_product_attention() -> None:
    attention = build("dot")
    query, encoder_out, history = material()
    context, _ = attention(query, attention.memory(encoder_out, LENGTHS), history)
    frames = (torch.arange(7) < LENGTHS[:, None])[:, None]
    expected = functional.scaled_dot_product_attention(
        attention.query(query), attention.key(encoder_out), encoder_out, attn_mask=frames
    )
    torch.testing.assert_close(context, expected, **CLOSE)


def test_multihead_equals_torch_multihead_attention() -> None:
    attention = build("multihead")
    torchs = nn.MultiheadAttention(CHANNELS, 2, batch_first=True)
    with torch.no_grad():
        torchs.in_proj_weight.copy_(torch.eye(CHANNELS).repeat(3, 1))  # ours has projected already
        torchs.in_proj_bias.zero_()
        torchs.out_proj.load_state_dict(attention.output.state_dict())
    query, encoder_out, history = material()
    memory: Memory = attention.memory(encoder_out, LENGTHS)
    context, weights = attention(query, memory, history)
    expected, expected_weights = torchs(
        attention.query(query), memory.keys, memory.values, key_padding_mask=~memory.valid_frames
    )
    # the values beyond the lengths are garbage of size 1e4, which both multiply by zero
    torch.testing.assert_close(context, expected, **CLOSE)
    torch.testing.assert_close(weights, expected_weights, **CLOSE)


@pytest.mark.parametrize("kind", ["additive", "location"])
def test_additive_and_location_equal_their_papers_formula(kind: str) -> None:
    """Bahdanau et al. 2015, appendix A.1.2, and Chorowski et al. 2015, equations 8 and 9, frame by frame in float64."""
    attention = build(kind)
    query, encoder_out, history = material()
    _, weights = attention(query, attention.memory(encoder_out, LENGTHS), history)
    state = {name: weight.double().numpy() for name, weight in attention.state_dict().items()}
    for i, length in enumerate(LENGTHS.tolist()):
        for j in range(2):
            s, alpha = query[i, j].double().numpy(), history[i, j].double().numpy()
            energies = []
            for t in range(length):
                x = state["query.weight"] @ s + state["query.bias"]
                x += state["key.weight"] @ encoder_out[i, t].double().numpy()
                if kind == "location":
                    f = sum(
                        state["filters.weight"][:, :, k + 2] @ alpha[:, t + k] for k in range(-2, 3) if 0 <= t + k < 7
                    )
                    x += state["location.weight"] @ f
                energies.append(float(state["energy.weight"][0] @ np.tanh(x)))
            shares = np.exp(energies) / np.exp(energies).sum()
            np.testing.assert_allclose(weights[i, j, :length].detach(), shares, atol=1e-6)


def test_without_attention_only_the_first_and_the_last_real_frame_count() -> None:
    attention = build("none")
    query, encoder_out, history = material()
    context, weights = attention(query, attention.memory(encoder_out, LENGTHS), history)
    assert weights is None
    middle = encoder_out.clone()
    middle[0, 1:6] += 1.0
    torch.testing.assert_close(attention(query, attention.memory(middle, LENGTHS), history)[0], context, rtol=0, atol=0)
    for frame in (0, 6):
        ends = encoder_out.clone()
        ends[0, frame] += 1.0
        changed, _ = attention(query, attention.memory(ends, LENGTHS), history)
        assert (changed - context)[0].abs().max() > 1e-3


def test_history_holds_the_last_weights_and_the_sum_of_all() -> None:
    start = first_history(torch.ones(1, 3, dtype=torch.bool))
    assert start.tolist() == [[[[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]]]
    first, second = torch.tensor([[[0.5, 0.5, 0.0]]]), torch.tensor([[[0.0, 0.25, 0.75]]])
    history = next_history(next_history(start, first), second)
    assert history.tolist() == [[[[0.0, 0.25, 0.75], [0.5, 0.75, 0.75]]]]


def test_heads_that_do_not_share_the_channels_are_refused() -> None:
    with pytest.raises(ValueError, match=r"channels \(6\) is not a multiple of heads \(4\)"):
        MultiHeadConfig(kind="multihead", channels=6, heads=4)


def test_dot_energies_start_small_enough_not_to_saturate() -> None:
    """With normalised frames of any width, the fresh attention is close to even: gradients reach every frame."""
    torch.manual_seed(0)
    fresh = DotConfig(kind="dot").build(256, 256)
    encoder_out = functional.layer_norm(torch.randn(1, 50, 256), (256,))
    lengths = torch.tensor([50])
    history = first_history(torch.ones(1, 50, dtype=torch.bool))
    _, weights = fresh(torch.randn(1, 1, 256).tanh(), fresh.memory(encoder_out, lengths), history)
    entropy = -(weights * weights.log()).sum()
    assert entropy > 0.9 * math.log(50)
