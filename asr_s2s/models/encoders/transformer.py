"""The Transformer encoder; with a `conv1d` stem and no dropout it is Whisper's.

Vaswani 2017: Vaswani et al., "Attention is all you need", NeurIPS 2017.
Radford 2023: Radford et al., "Robust speech recognition via large-scale weak supervision", ICML 2023 (Whisper).
"""

from typing import Literal, Self

from pydantic import Field, model_validator
from torch import Tensor, nn

from asr_s2s.config import Layers, PartConfig, Width
from asr_s2s.models.encoders.encoder import Encoder
from asr_s2s.models.encoders.stems import Conv2dStemConfig, StemConfig
from asr_s2s.models.feedforward import FeedForward, initialise
from asr_s2s.models.multihead import MultiHeadAttention, check_heads
from asr_s2s.models.positions import Positions
from asr_s2s.models.silence import MergedSilence, visible_keys


class TransformerEncoderLayer(nn.Module):
    """Self-attention, then a position-wise network, each normalised first and added to its input.

    silence: what stands for the rest of a window after each utterance
    """

    reduction = 1

    def __init__(
        self, channels: int, *, heads: int, feedforward: int, dropout: float, silence: MergedSilence | None = None
    ) -> None:
        super().__init__()
        self.silence = silence
        self.self_attention_norm = nn.LayerNorm(channels)
        self.self_attention = MultiHeadAttention(channels, heads=heads)
        self.feedforward_norm = nn.LayerNorm(channels)
        self.feedforward = FeedForward(channels, feedforward, activation=nn.GELU(), dropout=dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Transform (batch, time, channel); frames beyond the lengths are not seen."""
        allowed = visible_keys(lengths, x.size(1), silence=self.silence)
        normed = self.self_attention_norm(x)
        keys, values = self.self_attention.keys_values(normed)
        attended, _ = self.self_attention(normed, keys, values, allowed=allowed)
        x = x + self.dropout(attended)
        return x + self.dropout(self.feedforward(self.feedforward_norm(x))), lengths


class TransformerConfig(PartConfig):
    """A Transformer encoder; `feedforward` is the width of the position-wise networks."""

    kind: Literal["transformer"]
    channels: Width = 256  # width of the states
    heads: Width = 4  # attention heads
    layers: Layers = 6  # Transformer layers
    feedforward: Width = 1024  # width of the position-wise networks
    dropout: float = Field(default=0.1, ge=0, lt=1)  # in training
    stem: StemConfig = Conv2dStemConfig(kind="conv2d")  # what shortens the features first

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        check_heads(self.channels, self.heads)
        return self

    def build(self, input_size: int, *, silence: MergedSilence | None = None) -> Encoder:
        """Make the encoder, pre-norm (Vaswani 2017, section 3.1).

        silence: gives frames after each utterance that stand for the rest of a window, for models trained on one
        """
        stem = self.stem.build(input_size, self.channels)
        layers = [
            TransformerEncoderLayer(
                self.channels, heads=self.heads, feedforward=self.feedforward, dropout=self.dropout, silence=silence
            )
            for _ in range(self.layers)
        ]
        for layer in layers:
            initialise(layer, residual_branches=2 * self.layers)
        return Encoder(
            stem,
            layers,
            channels=self.channels,
            positions=Positions(self.channels, dropout=self.dropout, silence=silence),
            tail=nn.LayerNorm(self.channels),
        )
