"""The Conformer encoder, with a convolution that padding cannot enter and a norm that the batch cannot change.

Positions are sinusoids added to the input; the convolutions add the relative order.

Gulati 2020: Gulati et al., "Conformer: convolution-augmented Transformer for speech recognition", Interspeech 2020.
"""

from typing import Literal, Self

from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn.functional import glu, silu

from asr_s2s.config import Layers, PartConfig, Width
from asr_s2s.models.encoders.encoder import Encoder
from asr_s2s.models.encoders.stems import Conv2dStemConfig, StemConfig
from asr_s2s.models.feedforward import FeedForward, initialise
from asr_s2s.models.masks import valid_frames, zero_beyond
from asr_s2s.models.multihead import MultiHeadAttention, check_heads
from asr_s2s.models.positions import Positions


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

    reduction = 1

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

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Transform (batch, time, channel); frames beyond the lengths are not seen."""
        allowed = valid_frames(lengths, x.size(1))[:, None, None, :]
        x = x + 0.5 * self.dropout(self.first_feedforward(self.first_feedforward_norm(x)))
        normed = self.self_attention_norm(x)
        keys, values = self.self_attention.keys_values(normed)
        attended, _ = self.self_attention(normed, keys, values, allowed=allowed)
        x = x + self.dropout(attended)
        x = x + self.dropout(self.convolution(self.convolution_norm(x), lengths))
        x = x + 0.5 * self.dropout(self.last_feedforward(self.last_feedforward_norm(x)))
        return self.norm(x), lengths


class ConformerConfig(PartConfig):
    """A Conformer encoder; `feedforward` is the width of the position-wise networks, `kernel` of the convolutions."""

    kind: Literal["conformer"]
    channels: Width = 256  # width of the states
    heads: Width = 4  # attention heads
    layers: Layers = 6  # Conformer layers
    feedforward: Width = 1024  # width of the position-wise networks
    kernel: Width = 15  # frames that a convolution spans, an odd number
    dropout: float = Field(default=0.1, ge=0, lt=1)  # in training
    stem: StemConfig = Conv2dStemConfig(kind="conv2d")  # what shortens the features first

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        check_heads(self.channels, self.heads)
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel is {self.kernel}: an odd number keeps the frames in place")
        return self

    def build(self, input_size: int) -> Encoder:
        """Make the encoder."""
        stem = self.stem.build(input_size, self.channels)
        layers = [
            ConformerLayer(
                self.channels,
                heads=self.heads,
                feedforward=self.feedforward,
                kernel=self.kernel,
                dropout=self.dropout,
            )
            for _ in range(self.layers)
        ]
        for layer in layers:  # the sum is normalised anew at the end of every layer
            initialise(layer, residual_branches=4)
        return Encoder(stem, layers, channels=self.channels, positions=Positions(self.channels, dropout=self.dropout))
