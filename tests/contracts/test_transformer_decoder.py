"""The promises of a decoder, held by the Transformer decoder."""

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from asr_s2s.errors import ConfigError
from asr_s2s.models.decoders.protocol import StepOutput
from asr_s2s.models.decoders.transformer import TransformerDecoder, TransformerDecoderConfig
from asr_s2s.models.decoders.transformer_state import TransformerState

pytestmark = pytest.mark.unit

VOCABULARY = 11
LENGTHS = torch.tensor([9, 4, 1])
# Worst seen 1e-6: matrix products of another size add up in another order.
TOLERANCE = {"atol": 1e-5, "rtol": 0.0}


@pytest.fixture(params=[16, 12], ids=["same-width", "projected"])
def decoder(request: pytest.FixtureRequest) -> TransformerDecoder:
    torch.manual_seed(0)
    config = TransformerDecoderConfig(
        kind="transformer", channels=16, heads=2, layers=3, feedforward=24, dropout=0.0, max_tokens=12
    )
    built = config.build(request.param, VOCABULARY)
    for weight in built.parameters():
        nn.init.normal_(weight, std=0.5)  # large enough that every part shows in the logits
    return built.eval()


def encoding(decoder: TransformerDecoder) -> Tensor:
    channels = decoder.layers[0].cross_attention.key.in_features
    encoder_out = torch.randn(3, 9, channels, generator=torch.Generator().manual_seed(1))
    for frames, length in zip(encoder_out, LENGTHS, strict=True):
        frames[length:] = 100.0  # a decoder must not look there
    return encoder_out


def random_tokens(*shape: int) -> Tensor:
    return torch.randint(0, VOCABULARY, shape, generator=torch.Generator().manual_seed(2))


def steps(decoder: TransformerDecoder, state: TransformerState, tokens: Tensor) -> tuple[Tensor, Tensor, StepOutput]:
    """Append tokens (batch, beam, token) one by one; logits and attention are (batch, beam, token, ...)."""
    outputs = []
    for index in range(tokens.size(2)):
        outputs.append(decoder.step(tokens[:, :, index], state, with_attention=True))
        state = outputs[-1].state
    logits = torch.stack([output.logits for output in outputs], dim=2)
    return logits, torch.stack([output.attention for output in outputs], dim=2), outputs[-1]


def branched(decoder: TransformerDecoder) -> tuple[TransformerState, Tensor]:
    """Search with hypotheses that split, cross and die; gives the state and the tokens (batch, beam, token) in it."""
    history = random_tokens(3, 1, 2)
    state = steps(decoder, decoder.start(encoding(decoder), LENGTHS), history)[2].state
    choices = ([[0, 0, 0]] * 3, [[2, 0, 1], [1, 1, 0], [0, 1, 2]], [[1, 1], [0, 2], [2, 0]], [[1, 0, 0, 1]] * 3)
    for round_, chosen in enumerate(choices):
        beams = torch.tensor(chosen)
        state = decoder.reorder(state, beams)
        history = history.gather(1, beams[:, :, None].expand(-1, -1, history.size(2)))
        new = (random_tokens(3, beams.size(1)) + round_) % VOCABULARY
        state = decoder.step(new, state).state
        history = torch.cat([history, new[:, :, None]], dim=2)
    return state, history


def test_step_by_step_equals_teacher_forcing(decoder: TransformerDecoder) -> None:
    tokens = random_tokens(3, 6)
    whole = decoder(tokens, encoding(decoder), LENGTHS, with_attention=True)
    logits, attention, _ = steps(decoder, decoder.start(encoding(decoder), LENGTHS), tokens[:, None])
    torch.testing.assert_close(logits[:, 0], whole.logits, **TOLERANCE)
    torch.testing.assert_close(attention[:, 0], whole.attention, **TOLERANCE)


def test_reordered_hypotheses_score_as_if_computed_anew(decoder: TransformerDecoder) -> None:
    state, history = branched(decoder)
    following = random_tokens(3, 4)
    stepped = decoder.step(following, state, with_attention=True)
    for beam in range(4):
        tokens = torch.cat([history[:, beam], following[:, beam, None]], dim=1)
        anew = decoder(tokens, encoding(decoder), LENGTHS, with_attention=True)
        torch.testing.assert_close(stepped.logits[:, beam], anew.logits[:, -1], **TOLERANCE)
        torch.testing.assert_close(stepped.attention[:, beam], anew.attention[:, -1], **TOLERANCE)


def test_tokens_of_dead_hypotheses_are_forgotten_without_a_trace(decoder: TransformerDecoder) -> None:
    start, pasts, following = random_tokens(3, 1, 1), random_tokens(3, 5, 5), random_tokens(3, 2)
    state = steps(decoder, decoder.start(encoding(decoder), LENGTHS), start)[2].state
    state = steps(decoder, decoder.reorder(state, torch.zeros(3, 5, dtype=torch.long)), pasts)[2].state
    survivors = torch.tensor([[4, 4], [0, 2], [1, 1]])
    state = decoder.reorder(state, survivors)
    assert state.visible_slots.size(2) == 1 + 2 * 5  # the start token and two pasts, where 26 slots were
    logits = decoder.step(following, state).logits
    for beam in range(2):
        past = pasts[torch.arange(3), survivors[:, beam]]
        tokens = torch.cat([start[:, 0], past, following[:, beam, None]], dim=1)
        anew = decoder(tokens, encoding(decoder), LENGTHS).logits
        torch.testing.assert_close(logits[:, beam], anew[:, -1], **TOLERANCE)


def test_kept_utterances_score_as_before(decoder: TransformerDecoder) -> None:
    state, _ = branched(decoder)
    following, kept = random_tokens(3, 4), torch.tensor([2, 0])
    expected = decoder.step(following, state, with_attention=True)
    alone = decoder.step(following[kept], decoder.keep(state, kept), with_attention=True)
    torch.testing.assert_close(alone.logits, expected.logits[kept], **TOLERANCE)
    torch.testing.assert_close(alone.attention, expected.attention[kept], **TOLERANCE)


def test_a_state_stays_valid_after_a_step(decoder: TransformerDecoder) -> None:
    state, _ = branched(decoder)
    first, other = random_tokens(3, 4), (random_tokens(3, 4) + 1) % VOCABULARY
    before = decoder.step(first, state)
    decoder.step(other, decoder.step(other, state).state)
    assert torch.equal(decoder.step(first, state).logits, before.logits)
    later = decoder.step(first, before.state)
    assert not torch.equal(later.logits, before.logits)


def test_an_utterance_is_decoded_alone_as_in_a_batch(decoder: TransformerDecoder) -> None:
    tokens = random_tokens(3, 6)
    together = decoder(tokens, encoding(decoder), LENGTHS, with_attention=True)
    for index, length in enumerate(LENGTHS):
        encoder_out = encoding(decoder)[index, None, :length]
        alone = decoder(tokens[index, None], encoder_out, length[None], with_attention=True)
        torch.testing.assert_close(together.logits[index], alone.logits[0], **TOLERANCE)
        torch.testing.assert_close(together.attention[index, :, :length], alone.attention[0], **TOLERANCE)
        assert torch.count_nonzero(together.attention[index, :, length:]) == 0


def test_later_tokens_do_not_change_earlier_scores(decoder: TransformerDecoder) -> None:
    tokens = random_tokens(3, 6)
    changed = tokens.clone()
    changed[:, 4:] = (changed[:, 4:] + 1) % VOCABULARY
    logits, other = (decoder(each, encoding(decoder), LENGTHS).logits for each in (tokens, changed))
    assert torch.equal(logits[:, :4], other[:, :4])
    assert (logits[:, 4:] - other[:, 4:]).abs().amin(dim=(0, 1)).max() > 1e-3


def test_asking_for_attention_does_not_change_the_scores(decoder: TransformerDecoder) -> None:
    tokens = random_tokens(3, 6)
    without = decoder(tokens, encoding(decoder), LENGTHS)
    asked = decoder(tokens, encoding(decoder), LENGTHS, with_attention=True)
    assert without.attention is None
    torch.testing.assert_close(without.logits, asked.logits, **TOLERANCE)
    torch.testing.assert_close(asked.attention.sum(dim=2), torch.ones(3, 6), **TOLERANCE)


def test_gradients_reach_every_weight_and_the_encoding(decoder: TransformerDecoder) -> None:
    encoder_out = encoding(decoder).requires_grad_()
    tokens = torch.arange(12).expand(3, 12) % VOCABULARY  # every token and every position
    decoder(tokens, encoder_out, LENGTHS).logits.square().sum().backward()
    without = [each for each, weight in decoder.named_parameters() if not weight.grad.abs().sum(dim=-1).all()]
    assert without == []
    assert encoder_out.grad[0].abs().sum(dim=1).min() > 0
    assert torch.count_nonzero(encoder_out.grad[2, 1:]) == 0


def test_gradients_flow_through_the_attention(decoder: TransformerDecoder) -> None:
    encoder_out = encoding(decoder).requires_grad_()
    decoder(random_tokens(3, 6), encoder_out, LENGTHS, with_attention=True).attention[0, 3, 2].backward()
    assert encoder_out.grad[0].abs().sum(dim=1).min() > 0


def test_a_sequence_beyond_max_tokens_is_refused_with_the_number(decoder: TransformerDecoder) -> None:
    with pytest.raises(ConfigError, match=r"max_tokens is 12, but a sequence has 13 tokens.*shorter pieces"):
        decoder(random_tokens(3, 13), encoding(decoder), LENGTHS)


def test_a_fresh_decoder_spreads_its_scores_evenly() -> None:
    torch.manual_seed(0)
    decoder = TransformerDecoderConfig(kind="transformer").build(256, 40).eval()
    encoder_out = torch.randn(2, 50, 256)
    logits = decoder(torch.randint(0, 40, (2, 30)), encoder_out, torch.tensor([50, 50])).logits
    assert 0.5 < logits.std() < 1.5  # a loss near log(vocabulary) from the first step, neither flat nor certain


def test_heads_that_do_not_divide_the_channels_are_refused_with_both_numbers() -> None:
    with pytest.raises(ValidationError, match="channels is 20, which does not divide into 3 heads"):
        TransformerDecoderConfig(kind="transformer", channels=20, heads=3)


def test_every_field_of_the_config_shapes_the_decoder() -> None:
    base = {"kind": "transformer", "channels": 16, "heads": 2, "layers": 1, "feedforward": 24}
    changes = {"channels": 32, "heads": 4, "layers": 2, "feedforward": 40, "dropout": 0.5, "max_tokens": 9}
    assert changes.keys() == TransformerDecoderConfig.model_fields.keys() - {"kind", "alignment_heads"}
    built = [repr(TransformerDecoderConfig.model_validate(base | {key: changes[key]}).build(8, 5)) for key in changes]
    assert repr(TransformerDecoderConfig.model_validate(base).build(8, 5)) not in built


@torch.no_grad()
def test_the_attention_is_the_mean_of_the_alignment_heads() -> None:
    base = {"kind": "transformer", "channels": 16, "heads": 2, "layers": 3, "feedforward": 24, "dropout": 0.0}
    encoder_out, lengths, tokens = torch.randn(2, 9, 8), torch.tensor([9, 5]), torch.tensor([[1, 2, 3], [1, 4, 0]])

    def attention(*heads: tuple[int, int]) -> Tensor:
        torch.manual_seed(0)
        config = TransformerDecoderConfig.model_validate(base | {"alignment_heads": heads})
        found = config.build(8, 5).eval()(tokens, encoder_out, lengths, with_attention=True).attention
        assert found is not None
        return found

    one, other = attention((0, 1)), attention((2, 0))
    torch.testing.assert_close(attention((0, 1), (2, 0)), (one + other) / 2)
    assert not torch.allclose(one, other)
    torch.testing.assert_close(attention(), attention((1, 0), (1, 1), (2, 0), (2, 1)))
    for heads, message in ([[3, 0]], "head 0 of layer 3"), ([[0, 2]], "head 2 of layer 0"):
        with pytest.raises(ValidationError, match=message):
            TransformerDecoderConfig.model_validate(base | {"alignment_heads": heads})
