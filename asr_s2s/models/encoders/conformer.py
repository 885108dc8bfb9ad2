"""The Conformer encoder, with a convolution that padding cannot enter and a norm that the batch cannot change.

Positions are sinusoids added to the input; the convolutions add the relative order.

Gulati 2020: Gulati et al., "Conformer: convolution-augmented Transformer for speech recognition", Interspeech 2020.
"""

from typing import Literal, Self

from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn.functional import glu, silu

from asr_s2s.config import Layers, PartConfig, Width
from asr_s2s.models.feedforward import FeedForward, initialise
from asr_s2s.models.masks import valid_frames, zero_beyond
from asr_s2s.models.multihead import MultiHeadAttention, check_heads
from asr_s2s.models.positions import sinusoids
from asr_s2s.models.subsampling import Conv2dConfig, Subsampling, SubsamplingConfig


class ConvolutionModule(nn.Module):
    """Gated, depthwise convolution over time (Gulati 2020, section 2.2), with layer norm for the paper's batch norm."""

    def __init__(self, channels: int, *, kernel: int) -> None:
        super().__init__()
        self.expand = nn.Linear(channels, 2 * channels)
        self.depthwise = nn.Conv1d(channels, channels, kernel, padding=kernel // 2, groups=channels)
        self.norm = nn.LayerNorm(channels)
        self.contract = nn.Linear(channels, channels)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Convolve (batch, time, channel); what lies beyond the lengths is not seen by the frames within."""
        gated = zero_beyond(glu(self.expand(x), dim=2), lengths)
        convolved = self.depthwise(gated.transpose(1, 2)).transpose(1, 2)
        contracted: Tensor = self.contract(silu(self.norm(convolved)))
        return contracted


class ConformerLayer(nn.Module):
    """Half a position-wise network, self-attention, convolution, the other half (Gulati 2020, section 2.4)."""

    def __init__(self, channels: int, *, heads: int, feedforward: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.first_feedforward_norm = nn.LayerNorm(channels)
        self.first_feedforward = FeedForward(channels, feedforward, activation=nn.SiLU(), dropout=dropout)
        self.self_attention_norm = nn.LayerNorm(channels)
        self.self_attention = MultiHeadAttention(channels, heads=heads)
        self.convolution_norm = nn.LayerNorm(channels)
        self.convolution = ConvolutionModule(channels, kernel=kernel)
        self.last_feedforward_norm = nn.LayerNorm(channels)
        self.last_feedforward = FeedForward(channels, feedforward, activation=nn.SiLU(), dropout=dropout)
        self.norm = nn.LayerNorm(channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, lengths: Tensor, allowed: Tensor) -> Tensor:
        """Transform (batch, time, channel); allowed (batch, 1, 1, time) is True at the frames that may be seen."""
        x = x + 0.5 * self.dropout(self.first_feedforward(self.first_feedforward_norm(x)))
        normed = self.self_attention_norm(x)
        keys, values = self.self_attention.keys_values(normed)
        attended, _ = self.self_attention(normed, keys, values, allowed=allowed)
        x = x + self.dropout(attended)
        x = x + self.dropout(self.convolution(self.convolution_norm(x), lengths))
        x = x + 0.5 * self.dropout(self.last_feedforward(self.last_feedforward_norm(x)))
        normed_sum: Tensor = self.norm(x)
        return normed_sum


class ConformerEncoder(nn.Module):
    """Subsampling, sinusoidal positions and a stack of Conformer layers."""

    def __init__(
        self,
        subsampling: Subsampling,
        *,
        channels: int,
        heads: int,
        layers: int,
        feedforward: int,
        kernel: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.channels = channels
        self.subsampling = subsampling
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(
            ConformerLayer(channels, heads=heads, feedforward=feedforward, kernel=kernel, dropout=dropout)
            for _ in range(layers)
        )
        initialise(self.layers, residual_branches=4)  # the sum is normalised anew at the end of every layer

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
        return zero_beyond(self._through(range(layers, len(self.layers)), states, lengths), lengths), lengths

    def _embedded(self, features: Tensor, feature_lengths: Tensor) -> tuple[Tensor, Tensor]:
        x, lengths = self.subsampling(features, feature_lengths)
        return self.dropout(x + sinusoids(x.size(1), self.channels, device=x.device).to(x.dtype)), lengths

    def _through(self, layers: range, x: Tensor, lengths: Tensor) -> Tensor:
        allowed = valid_frames(lengths, x.size(1))[:, None, None, :]
        for layer in layers:
            x = self.layers[layer](x, lengths, allowed)
        return x

    def output_lengths(self, feature_lengths: Tensor) -> Tensor:
        """Give the number of encoded frames of utterances with these numbers of feature frames: (batch,)."""
        return self.subsampling.output_lengths(feature_lengths)


class ConformerConfig(PartConfig):
    """A Conformer encoder; `feedforward` is the width of the position-wise networks, `kernel` of the convolutions."""

    kind: Literal["conformer"]
    channels: Width = 256
    heads: Width = 4
    layers: Layers = 6
    feedforward: Width = 1024
    kernel: Width = 15
    dropout: float = Field(default=0.1, ge=0, lt=1)
    subsampling: SubsamplingConfig = Conv2dConfig(kind="conv2d")

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        check_heads(self.channels, self.heads)
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel is {self.kernel}: an odd number keeps the frames in place")
        return self

    def build(self, num_mels: int) -> ConformerEncoder:
        """Make the encoder."""
        return ConformerEncoder(
            self.subsampling.build(num_mels, self.channels),
            channels=self.channels,
            heads=self.heads,
            layers=self.layers,
            feedforward=self.feedforward,
            kernel=self.kernel,
            dropout=self.dropout,
        )
