"""Whisper is our Transformer encoder with a conv1d stem and our Transformer decoder: same weights and numbers."""

import re

import pytest
import torch
from torch import Tensor, nn
from transformers import WhisperConfig, WhisperForConditionalGeneration
from transformers.models.whisper.modeling_whisper import sinusoids as whisper_sinusoids

from asr_s2s.models.decoders.transformer import TransformerDecoderConfig
from asr_s2s.models.encoders.transformer import TransformerConfig
from asr_s2s.models.positions import sinusoids

pytestmark = pytest.mark.unit

NUM_MELS, CHANNELS, HEADS, LAYERS, WIDTH, VOCABULARY, FRAMES = 8, 32, 4, 3, 48, 50, 40
# Worst seen 1e-6 at values up to 4: float32 sums in another order.
TOLERANCE = {"atol": 1e-5, "rtol": 0.0}
RENAMED = (
    (r"^conv1\.", "stem.convolutions.0."),
    (r"^conv2\.", "stem.convolutions.1."),
    (r"^embed_tokens\.", "embedding."),
    (r"^embed_positions\.", "positions."),
    (r"\.self_attn_layer_norm\.", ".self_attention_norm."),
    (r"\.encoder_attn_layer_norm\.", ".cross_attention_norm."),
    (r"\.final_layer_norm\.", ".feedforward_norm."),
    (r"\.self_attn\.", ".self_attention."),
    (r"\.encoder_attn\.", ".cross_attention."),
    (r"\.q_proj\.", ".query."),
    (r"\.k_proj\.", ".key."),
    (r"\.v_proj\.", ".value."),
    (r"\.out_proj\.", ".output."),
    (r"\.fc1\.", ".feedforward.expand."),
    (r"\.fc2\.", ".feedforward.contract."),
)


@pytest.fixture(scope="module")
def reference() -> WhisperForConditionalGeneration:
    torch.manual_seed(0)
    sizes = {"d_model": CHANNELS, "num_mel_bins": NUM_MELS, "vocab_size": VOCABULARY, "dropout": 0.0}
    for side in ("encoder", "decoder"):
        sizes |= {f"{side}_layers": LAYERS, f"{side}_attention_heads": HEADS, f"{side}_ffn_dim": WIDTH}
    tokens = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1, "decoder_start_token_id": 0}
    config = WhisperConfig(**sizes, **tokens, max_source_positions=FRAMES // 2, max_target_positions=20)
    model = WhisperForConditionalGeneration(config)
    for name, weight in model.named_parameters():
        if name != "model.encoder.embed_positions.weight":
            nn.init.normal_(weight, std=0.2)
    return model.eval()


@pytest.fixture(scope="module")
def encoder(reference: WhisperForConditionalGeneration) -> nn.Module:
    config = TransformerConfig(
        kind="transformer",
        channels=CHANNELS,
        heads=HEADS,
        layers=LAYERS,
        feedforward=WIDTH,
        stem={"kind": "conv1d"},
    )
    built = config.build(NUM_MELS)
    weights = renamed(reference.model.encoder, norm="tail")
    del weights["positions.weight"]  # ours are computed
    built.load_state_dict(weights)
    return built.eval()


@pytest.fixture(scope="module")
def decoder(reference: WhisperForConditionalGeneration) -> nn.Module:
    config = TransformerDecoderConfig(
        kind="transformer", channels=CHANNELS, heads=HEADS, layers=LAYERS, feedforward=WIDTH, max_tokens=20
    )
    built = config.build(CHANNELS, VOCABULARY)
    built.load_state_dict(renamed(reference.model.decoder, norm="norm"))
    return built.eval()


def renamed(module: nn.Module, *, norm: str) -> dict[str, Tensor]:
    weights = {}
    for name, weight in module.state_dict().items():
        for pattern, ours in (*RENAMED, (r"^layer_norm\.", f"{norm}.")):
            name = re.sub(pattern, ours, name)  # noqa: PLW2901 - one name through all patterns
        weights[name] = weight
    return weights


def material() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    features = torch.randn(2, FRAMES, NUM_MELS, generator=generator)
    return features, torch.randint(0, VOCABULARY, (2, 20), generator=generator)


@torch.no_grad()
def test_the_encoding_equals_whispers(reference: WhisperForConditionalGeneration, encoder: nn.Module) -> None:
    features, _ = material()
    encoder_out, lengths = encoder(features, torch.tensor([FRAMES, FRAMES]))
    expected = reference.model.encoder(features.transpose(1, 2)).last_hidden_state
    assert lengths.tolist() == [FRAMES // 2, FRAMES // 2]
    torch.testing.assert_close(encoder_out, expected, **TOLERANCE)


@torch.no_grad()
def test_the_scores_equal_whispers(reference: WhisperForConditionalGeneration, decoder: nn.Module) -> None:
    features, tokens = material()
    encoder_out = reference.model.encoder(features.transpose(1, 2)).last_hidden_state
    expected = reference(encoder_outputs=(encoder_out,), decoder_input_ids=tokens).logits
    logits = decoder(tokens, encoder_out, torch.tensor([FRAMES // 2, FRAMES // 2])).logits
    torch.testing.assert_close(logits, expected, **TOLERANCE)


@torch.no_grad()
def test_the_attention_is_the_mean_of_whispers_upper_layers(
    reference: WhisperForConditionalGeneration, decoder: nn.Module
) -> None:
    features, tokens = material()
    encoder_out = reference.model.encoder(features.transpose(1, 2)).last_hidden_state
    reference.set_attn_implementation("eager")  # the only one that gives weights
    expected = reference(encoder_outputs=(encoder_out,), decoder_input_ids=tokens, output_attentions=True)
    upper = torch.stack(expected.cross_attentions[LAYERS // 2 :]).mean(dim=(0, 2))
    output = decoder(tokens, encoder_out, torch.tensor([FRAMES // 2, FRAMES // 2]), with_attention=True)
    torch.testing.assert_close(output.attention, upper, **TOLERANCE)


def test_the_positions_equal_whispers() -> None:
    torch.testing.assert_close(sinusoids(1500, 384), whisper_sinusoids(1500, 384), atol=1e-6, rtol=0.0)
