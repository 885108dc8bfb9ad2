"""Stems: what makes (batch, time, channel) of a model's input, with fewer, wider frames, before an encoder's layers.

Each convolution sees zeros beyond an utterance's length, as it would at the end of the tensor, so that padding cannot
change a real frame.

Radford 2023: Radford et al., "Robust speech recognition via large-scale weak supervision", ICML 2023 (Whisper).
Dong 2018: Dong et al., "Speech-Transformer", ICASSP 2018 (two strided 2-D convolutions).
He 2015: He et al., "Delving deep into rectifiers", ICCV 2015.
"""

from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import gelu

from asr_s2s.config import PartConfig, Width
from asr_s2s.models.encoders.encoder import Layer, reduced
from asr_s2s.models.masks import valid_frames, zero_beyond

Factor = Literal[1, 2, 4, 8]
_STRIDES: dict[Factor, tuple[int, ...]] = {1: (1, 1), 2: (1, 2), 4: (2, 2), 8: (2, 2, 2)}  # a layer each


class Conv1dStem(nn.Module):
    """Convolutions of width 3 over time with GELU; factor 2 is Whisper's front (Radford 2023, section 2.2)."""

    def __init__(self, input_size: int, channels: int, *, factor: Factor) -> None:
        super().__init__()
        self.reduction: int = factor
        self.strides = _STRIDES[factor]
        inputs = [input_size, *[channels] * (len(self.strides) - 1)]
        self.convolutions = nn.ModuleList(
            nn.Conv1d(width, channels, 3, stride=stride, padding=1)
            for width, stride in zip(inputs, self.strides, strict=True)
        )
        _initialise(self.convolutions)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return frames (batch, time / factor, channel) and their lengths (batch,)."""
        x = zero_beyond(x, lengths)
        for convolution, stride in zip(self.convolutions, self.strides, strict=True):
            x = gelu(convolution(x.transpose(1, 2))).transpose(1, 2)
            lengths = reduced(lengths, stride)
            x = zero_beyond(x, lengths)
        return x, lengths


class Conv2dStem(nn.Module):
    """Convolutions of 3 x 3 over time and mel with GELU, then a projection of each frame (Dong 2018, section 3.2).

    The mel axis is halved by every layer, the time axis as often as the factor asks.
    """

    def __init__(self, input_size: int, channels: int, *, factor: Factor, maps: int) -> None:
        super().__init__()
        self.reduction: int = factor
        self.strides = _STRIDES[factor]
        inputs = [1, *[maps] * (len(self.strides) - 1)]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(width, maps, 3, stride=(stride, 2), padding=1)
            for width, stride in zip(inputs, self.strides, strict=True)
        )
        for _ in self.strides:
            input_size = (input_size + 1) // 2
        self.projection = nn.Linear(maps * input_size, channels)
        _initialise(self.convolutions)
        nn.init.xavier_uniform_(self.projection.weight)
        nn.init.zeros_(self.projection.bias)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return frames (batch, time / factor, channel) and their lengths (batch,)."""
        x = zero_beyond(x, lengths)[:, None]  # (batch, map, time, mel)
        for convolution, stride in zip(self.convolutions, self.strides, strict=True):
            lengths = reduced(lengths, stride)
            x = gelu(convolution(x))
            x = x.masked_fill(~valid_frames(lengths, x.size(2))[:, None, :, None], 0.0)
        return self.projection(x.transpose(1, 2).flatten(2)), lengths


class ProjectionStem(nn.Module):
    """Each frame is projected on its own."""

    reduction = 1

    def __init__(self, input_size: int, channels: int) -> None:
        super().__init__()
        self.projection = nn.Linear(input_size, channels)
        nn.init.xavier_uniform_(self.projection.weight)
        nn.init.zeros_(self.projection.bias)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return frames (batch, time, channel) and their lengths (batch,)."""
        return self.projection(x), lengths


class Conv1dStemConfig(PartConfig):
    """Whisper's two convolutions over time; factor 4 and 8 stride in every layer."""

    kind: Literal["conv1d"]
    factor: Factor = 2  # how many times shorter the sequence becomes

    def build(self, input_size: int, channels: int) -> Layer:
        """Make the module."""
        return Conv1dStem(input_size, channels, factor=self.factor)


class Conv2dStemConfig(PartConfig):
    """Convolutions over time and mel with `maps` feature maps."""

    kind: Literal["conv2d"]
    factor: Factor = 4  # how many times shorter the sequence becomes
    maps: Width = 32  # feature maps

    def build(self, input_size: int, channels: int) -> Layer:
        """Make the module."""
        return Conv2dStem(input_size, channels, factor=self.factor, maps=self.maps)


class ProjectionStemConfig(PartConfig):
    """A frame in, a frame out."""

    kind: Literal["none"]

    def build(self, input_size: int, channels: int) -> Layer:
        """Make the module."""
        return ProjectionStem(input_size, channels)


StemConfig = Annotated[Conv1dStemConfig | Conv2dStemConfig | ProjectionStemConfig, Field(discriminator="kind")]


def _initialise(convolutions: nn.ModuleList) -> None:
    for convolution in convolutions:
        assert isinstance(convolution, nn.Conv1d | nn.Conv2d)
        nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")  # keeps the variance, He 2015
        if convolution.bias is not None:
            nn.init.zeros_(convolution.bias)
