"""The Transformer encoder; with `conv1d` subsampling and no dropout it is Whisper's.

Vaswani 2017: Vaswani et al., "Attention is all you need", NeurIPS 2017.
Radford 2023: Radford et al., "Robust speech recognition via large-scale weak supervision", ICML 2023 (Whisper).
"""

from typing import Literal, Self

from pydantic import Field, model_validator
from torch import Tensor, nn

from asr_s2s.config import Layers, PartConfig, Width
from asr_s2s.models.feedforward import FeedForward, initialise
from asr_s2s.models.masks import zero_beyond
from asr_s2s.models.multihead import MultiHeadAttention, check_heads
from asr_s2s.models.positions import sinusoids, sinusoids_at
from asr_s2s.models.silence import MergedSilence, visible_keys
from asr_s2s.models.subsampling import Conv2dConfig, Subsampling, SubsamplingConfig


class TransformerEncoderLayer(nn.Module):
    """Self-attention, then a position-wise network, each normalised first and added to its input."""

    def __init__(self, channels: int, *, heads: int, feedforward: int, dropout: float) -> None:
        super().__init__()
        self.self_attention_norm = nn.LayerNorm(channels)
        self.self_attention = MultiHeadAttention(channels, heads=heads)
        self.feedforward_norm = nn.LayerNorm(channels)
        self.feedforward = FeedForward(channels, feedforward, activation=nn.GELU(), dropout=dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, allowed: Tensor) -> Tensor:
        """Transform (batch, time, channel); allowed (batch, 1, 1, time) says which frames are seen, or how strongly."""
        normed = self.self_attention_norm(x)
        keys, values = self.self_attention.keys_values(normed)
        attended, _ = self.self_attention(normed, keys, values, allowed=allowed)
        x = x + self.dropout(attended)
        transformed: Tensor = x + self.dropout(self.feedforward(self.feedforward_norm(x)))
        return transformed


class TransformerEncoder(nn.Module):
    """Subsampling, sinusoidal positions, a stack of layers, a last norm (Vaswani 2017, section 3.1, pre-norm).

    silence: gives frames after each utterance that stand for the rest of a window, for models trained on one
    """

    def __init__(
        self,
        subsampling: Subsampling,
        *,
        channels: int,
        heads: int,
        layers: int,
        feedforward: int,
        dropout: float,
        silence: MergedSilence | None = None,
    ) -> None:
        super().__init__()
        self.channels = channels
        self.subsampling = subsampling
        self.silence = silence
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(
            TransformerEncoderLayer(channels, heads=heads, feedforward=feedforward, dropout=dropout)
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(channels)
        initialise(self.layers, residual_branches=2 * layers)

    def forward(self, features: Tensor, feature_lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Encode each utterance; frames beyond its length do not influence the result.

        features: (batch, time, mel), feature_lengths: (batch,)
        returns: encoder_out (batch, time', channel), zero beyond encoder_lengths (batch,)
        """
        return self.upper(*self._embedded(features, feature_lengths), layers=0)

    def lower(self, features: Tensor, feature_lengths: Tensor, *, layers: int) -> tuple[Tensor, Tensor]:
        """Give what the lowest layers make of features: states (batch, time', channel) and their lengths (batch,)."""
        x, lengths = self._embedded(features, feature_lengths)
        return self._through(range(layers), x, lengths), lengths

    def upper(self, states: Tensor, lengths: Tensor, *, layers: int) -> tuple[Tensor, Tensor]:
        """Give encoder_out and encoder_lengths of what `lower` gave for so many layers."""
        x = self._through(range(layers, len(self.layers)), states, lengths)
        return zero_beyond(self.norm(x), lengths), lengths

    def _embedded(self, features: Tensor, feature_lengths: Tensor) -> tuple[Tensor, Tensor]:
        x, lengths = self.subsampling(features, feature_lengths)
        if self.silence is None:
            positions = sinusoids(x.size(1), self.channels, device=x.device)
        else:
            x, lengths = self.silence.append(x, lengths)
            positions = sinusoids_at(self.silence.positions(lengths, x.size(1)), self.channels)
        return self.dropout(x + positions.to(x.dtype)), lengths

    def _through(self, layers: range, x: Tensor, lengths: Tensor) -> Tensor:
        allowed = visible_keys(lengths, x.size(1), silence=self.silence)
        for layer in layers:
            x = self.layers[layer](x, allowed)
        return x

    def output_lengths(self, feature_lengths: Tensor) -> Tensor:
        """Give the number of encoded frames that hold these numbers of feature frames: (batch,)."""
        return self.subsampling.output_lengths(feature_lengths)


class TransformerConfig(PartConfig):
    """A Transformer encoder; `feedforward` is the width of the position-wise networks."""

    kind: Literal["transformer"]
    channels: Width = 256
    heads: Width = 4
    layers: Layers = 6
    feedforward: Width = 1024
    dropout: float = Field(default=0.1, ge=0, lt=1)
    subsampling: SubsamplingConfig = Conv2dConfig(kind="conv2d")

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        check_heads(self.channels, self.heads)
        return self

    def build(self, num_mels: int, *, silence: MergedSilence | None = None) -> TransformerEncoder:
        """Make the encoder."""
        return TransformerEncoder(
            self.subsampling.build(num_mels, self.channels),
            channels=self.channels,
            heads=self.heads,
            layers=self.layers,
            feedforward=self.feedforward,
            dropout=self.dropout,
            silence=silence,
        )
