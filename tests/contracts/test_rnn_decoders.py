"""What the rnn decoder promises every search, for both cells and every attention."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from pydantic import TypeAdapter
from torch import Tensor, nn

from asr_s2s.models.attention import AttentionConfig
from asr_s2s.models.decoders.rnn import RnnConfig, RnnDecoder

pytestmark = pytest.mark.unit

ENCODER, VOCABULARY = 6, 9
LENGTHS = torch.tensor([8, 5, 2])
CLOSE = {"atol": 2e-6, "rtol": 1e-5}  # float32 sums in another order, over six steps
ATTENTIONS = ["dot", "additive", "location", "multihead", "none"]


def build(attention: str = "location", *, cell: str = "lstm", **changes: Any) -> RnnDecoder:
    torch.manual_seed(7)
    look = TypeAdapter(AttentionConfig).validate_python({"kind": attention, "channels": 8})
    config = RnnConfig(**{"kind": "rnn", "cell": cell, "layers": 2, "channels": 7, "embedding": 5, **changes})
    decoder = config.build(ENCODER, VOCABULARY, look.build(config.channels, ENCODER))
    with torch.no_grad():
        for parameter in decoder.parameters():  # larger than at the start, so that every path matters
            parameter.add_(0.2 * torch.randn_like(parameter))
    return decoder.eval()


@pytest.fixture(params=[(cell, attention) for cell in ("lstm", "gru") for attention in ATTENTIONS], ids="-".join)
def decoder(request: pytest.FixtureRequest) -> RnnDecoder:
    cell, attention = request.param
    return build(attention, cell=cell)


def material() -> tuple[Tensor, Tensor]:
    """Give tokens (3, 6) and an encoding (3, 8, ENCODER) with garbage beyond each length."""
    generator = torch.Generator().manual_seed(1)
    encoder_out = torch.randn(3, 8, ENCODER, generator=generator)
    encoder_out[torch.arange(8) >= LENGTHS[:, None]] = 50.0
    return torch.randint(VOCABULARY, (3, 6), generator=generator), encoder_out


def test_step_by_step_equals_teacher_forcing(decoder: RnnDecoder) -> None:
    tokens, encoder_out = material()
    forced = decoder(tokens, encoder_out, LENGTHS, with_attention=True)
    state = decoder.start(encoder_out, LENGTHS)
    for position in range(tokens.size(1)):
        step = decoder.step(tokens[:, position : position + 1], state, with_attention=True)
        state = step.state
        torch.testing.assert_close(step.logits[:, 0], forced.logits[:, position], **CLOSE)
        if forced.attention is None:
            assert step.attention is None
        else:
            torch.testing.assert_close(step.attention[:, 0], forced.attention[:, position], **CLOSE)


def test_an_utterance_alone_gets_what_it_gets_in_a_batch(decoder: RnnDecoder) -> None:
    tokens, encoder_out = material()
    together = decoder(tokens, encoder_out, LENGTHS).logits
    for index, length in enumerate(LENGTHS.tolist()):
        one = slice(index, index + 1)
        alone = decoder(tokens[one], encoder_out[one, :length], LENGTHS[one]).logits
        torch.testing.assert_close(alone, together[one], **CLOSE)


def test_padding_after_the_last_token_does_not_change_what_came_before(decoder: RnnDecoder) -> None:
    tokens, encoder_out = material()
    whole = decoder(tokens, encoder_out, LENGTHS).logits
    torch.testing.assert_close(decoder(tokens[:, :4], encoder_out, LENGTHS).logits, whole[:, :4], **CLOSE)


def test_reordered_hypotheses_equal_recomputed_ones(decoder: RnnDecoder) -> None:
    """Widen one hypothesis to three, move them apart, shuffle them, and compare with the whole sequences forced."""
    _, encoder_out = material()
    generator = torch.Generator().manual_seed(2)
    state = decoder.step(torch.full((3, 1), 1), decoder.start(encoder_out, LENGTHS)).state
    state = decoder.reorder(state, torch.zeros(3, 3, dtype=torch.long))
    prefixes = torch.full((3, 3, 1), 1)
    for _ in range(3):
        tokens = torch.randint(VOCABULARY, (3, 3), generator=generator)
        step = decoder.step(tokens, state)
        prefixes = torch.cat((prefixes, tokens[..., None]), dim=2)
        beams = torch.randint(3, (3, 3), generator=generator)
        state = decoder.reorder(step.state, beams)
        logits = step.logits.gather(1, beams[..., None].expand_as(step.logits))
        prefixes = prefixes.gather(1, beams[..., None].expand_as(prefixes))
        for beam in range(3):
            forced = decoder(prefixes[:, beam], encoder_out, LENGTHS).logits[:, -1]
            torch.testing.assert_close(logits[:, beam], forced, **CLOSE)


def test_kept_utterances_equal_a_smaller_batch(decoder: RnnDecoder) -> None:
    tokens, encoder_out = material()
    kept = torch.tensor([2, 0])
    state = decoder.step(tokens[:, :1], decoder.start(encoder_out, LENGTHS)).state
    after = decoder.step(tokens[kept, 1:2], decoder.keep(state, kept))
    expected = decoder(tokens[kept, :2], encoder_out[kept], LENGTHS[kept]).logits[:, -1:]
    torch.testing.assert_close(after.logits, expected, **CLOSE)


def test_a_state_stays_valid_after_a_step(decoder: RnnDecoder) -> None:
    tokens, encoder_out = material()
    state = decoder.step(tokens[:, :1], decoder.start(encoder_out, LENGTHS)).state
    first = decoder.step(tokens[:, 1:2], state).logits
    decoder.step(tokens[:, 2:3], state)
    torch.testing.assert_close(decoder.step(tokens[:, 1:2], state).logits, first, rtol=0, atol=0)


def test_gradients_reach_every_weight_and_every_real_frame(decoder: RnnDecoder) -> None:
    tokens, encoder_out = material()
    logits = decoder(tokens, encoder_out.requires_grad_(), LENGTHS).logits
    (logits * torch.randn_like(logits)).sum().backward()
    untouched = [name for name, weight in decoder.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert untouched == []
    assert encoder_out.grad[0, [0, -1]].any()
    assert not encoder_out.grad[1, 5:].any()


def test_the_cells_equal_torch_recurrence() -> None:
    """With the fixed vector for context, the decoder is nn.LSTM over embedding and vector (torch 2, its own loop)."""
    decoder = build("none", layers=1)
    tokens, encoder_out = material()
    lstm = nn.LSTM(5 + 8, 7, batch_first=True)
    lstm.load_state_dict({f"{name}_l0": weight for name, weight in decoder.cells[0].state_dict().items()})
    start = decoder.start(encoder_out, LENGTHS)
    contexts = start.memory.values.expand(-1, 6, -1).clone()
    contexts[:, 0] = 0.0  # nothing has been seen before the first token
    hidden, _ = lstm(torch.cat((decoder.embedding(tokens) * 5**0.5, contexts), dim=2))
    seen = torch.cat((hidden, start.memory.values.expand(-1, 6, -1)), dim=2)
    expected = decoder.output(torch.tanh(decoder.combine(seen)))
    torch.testing.assert_close(decoder(tokens, encoder_out, LENGTHS).logits, expected, **CLOSE)


def test_hidden_tokens_do_not_reach_the_scores() -> None:
    decoder = build(token_dropout=0.999, dropout=0.0).train()
    tokens, encoder_out = material()
    torch.manual_seed(0)  # none of the eighteen tokens is drawn to stay
    first = decoder(tokens, encoder_out, LENGTHS).logits
    torch.testing.assert_close(decoder((tokens + 1) % VOCABULARY, encoder_out, LENGTHS).logits, first, rtol=0, atol=0)
    decoder.eval()
    assert not torch.allclose(
        decoder((tokens + 1) % VOCABULARY, encoder_out, LENGTHS).logits, decoder(tokens, encoder_out, LENGTHS).logits
    )


def test_a_tied_output_layer_has_no_weights_of_its_own() -> None:
    tied = {name for name, _ in build(tied=True).named_parameters()}
    untied = {name for name, _ in build(tied=False).named_parameters()}
    assert untied - tied == {"output.weight", "output.bias"}


def test_a_tied_output_layer_scores_with_the_embedding() -> None:
    decoder = build(tied=True)
    tokens, encoder_out = material()
    before = decoder(tokens[:, :1], encoder_out, LENGTHS).logits
    unused = next(token for token in range(VOCABULARY) if token not in tokens[:, :1])
    with torch.no_grad():
        decoder.embedding.weight[unused] *= 2.0
    after = decoder(tokens[:, :1], encoder_out, LENGTHS).logits
    torch.testing.assert_close(after[..., unused], 2.0 * before[..., unused], **CLOSE)


def test_the_attention_is_told_where_it_looked() -> None:
    decoder = build("location")
    tokens, encoder_out = material()
    first = decoder.step(tokens[:, :1], decoder.start(encoder_out, LENGTHS), with_attention=True)
    second = decoder.step(tokens[:, 1:2], first.state, with_attention=True)
    torch.testing.assert_close(second.state.history[:, :, 0], second.attention)
    torch.testing.assert_close(second.state.history[:, :, 1], first.attention + second.attention)
    elsewhere = first.state.history.flip(-1)
    moved = decoder.step(tokens[:, 1:2], replace(first.state, history=elsewhere), with_attention=True)
    assert (moved.attention - second.attention).abs().max() > 1e-3


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_fresh_recurrences_are_rotations_and_forget_gates_open(cell: str) -> None:
    look = TypeAdapter(AttentionConfig).validate_python({"kind": "dot"}).build(7, ENCODER)
    made = RnnConfig(kind="rnn", cell=cell, channels=7).build(ENCODER, VOCABULARY, look).cells[0]
    for gate in made.weight_hh.split(7):
        torch.testing.assert_close(gate @ gate.T, torch.eye(7), atol=1e-5, rtol=0)  # float32 QR
    if cell == "lstm":
        assert (made.bias_ih + made.bias_hh).detach().reshape(4, 7).mean(1).tolist() == [0.0, 1.0, 0.0, 0.0]
