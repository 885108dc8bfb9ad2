"""LSTM and GRU encoders, with pyramidal time reduction.

Padding is kept out by reading each utterance backwards from its own end, not by packed sequences, which cost a
synchronisation on a GPU and, in training on a CPU, three times the time.

Chan 2016: Chan et al., "Listen, attend and spell", ICASSP 2016 (pyramidal layers).
Jozefowicz 2015: Jozefowicz et al., "An empirical exploration of recurrent network architectures", ICML 2015.
"""

from typing import Any, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn.functional import pad

from asr_s2s.config import Layers, PartConfig, Width
from asr_s2s.models.masks import valid_frames, zero_beyond
from asr_s2s.models.subsampling import Conv2dConfig, Subsampling, SubsamplingConfig

Cell = type[nn.LSTM] | type[nn.GRU]


class RecurrentLayer(nn.Module):
    """One recurrent layer, in one direction or both, with a layer norm behind it."""

    def __init__(self, cell: Cell, input_channels: int, channels: int, *, bidirectional: bool) -> None:
        super().__init__()
        width = channels // 2 if bidirectional else channels
        self.forwards = cell(input_channels, width, batch_first=True)
        self.backwards = cell(input_channels, width, batch_first=True) if bidirectional else None
        self.norm = nn.LayerNorm(channels)
        for direction in (self.forwards, self.backwards):
            if direction is not None:
                _initialise(direction)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Give (batch, time, channel), zero beyond the lengths, which x may be not."""
        hidden = _read(self.forwards, x)
        if self.backwards is not None:
            order = _backwards(lengths, x.size(1))[:, :, None]
            reversed_hidden = _read(self.backwards, x.gather(1, order.expand_as(x)))
            backwards = reversed_hidden.gather(1, order.expand(-1, -1, self.backwards.hidden_size))
            hidden = torch.cat([hidden, backwards], dim=2)
        return zero_beyond(self.norm(hidden), lengths)


class RecurrentEncoder(nn.Module):
    """A stack of recurrent layers; the first `pyramid_layers` above the lowest halve the time axis (Chan 2016, 3.1)."""

    def __init__(
        self,
        cell: Cell,
        subsampling: Subsampling,
        *,
        channels: int,
        layers: int,
        bidirectional: bool,
        pyramid_layers: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.channels = channels
        self.pyramid_layers = pyramid_layers
        self.subsampling = subsampling
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(
            RecurrentLayer(
                cell, 2 * channels if self._halves(layer) else channels, channels, bidirectional=bidirectional
            )
            for layer in range(layers)
        )

    def forward(self, features: Tensor, feature_lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Encode each utterance; frames beyond its length do not influence the result.

        features: (batch, time, mel), feature_lengths: (batch,)
        returns: encoder_out (batch, time', channel), zero beyond encoder_lengths (batch,)
        """
        return self.upper(*self.lower(features, feature_lengths, layers=0), layers=0)

    def lower(self, features: Tensor, feature_lengths: Tensor, *, layers: int) -> tuple[Tensor, Tensor]:
        """Give what the lowest layers make of features: states (batch, time', channel) and their lengths (batch,)."""
        x, lengths = self.subsampling(features, feature_lengths)
        return self._through(range(layers), x, lengths)

    def upper(self, states: Tensor, lengths: Tensor, *, layers: int) -> tuple[Tensor, Tensor]:
        """Give encoder_out and encoder_lengths of what `lower` gave for so many layers."""
        return self._through(range(layers, len(self.layers)), states, lengths)

    def _through(self, layers: range, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        for layer in layers:
            if self._halves(layer):
                x, lengths = _join_pairs(x), (lengths + 1) // 2
            x = self.layers[layer](self.dropout(x), lengths)
        return x, lengths

    def output_lengths(self, feature_lengths: Tensor) -> Tensor:
        """Give the number of encoded frames of utterances with these numbers of feature frames: (batch,)."""
        lengths = self.subsampling.output_lengths(feature_lengths)
        for _ in range(self.pyramid_layers):
            lengths = (lengths + 1) // 2
        return lengths

    def _halves(self, layer: int) -> bool:
        return 1 <= layer <= self.pyramid_layers


class _RecurrentConfig(PartConfig):
    channels: Width = 256  # of the output; two directions have half of them each
    layers: Layers = 3
    bidirectional: bool = True
    pyramid_layers: int = Field(default=0, ge=0, le=8)  # layers above the lowest that halve the time axis again
    dropout: float = Field(default=0.1, ge=0, lt=1)
    subsampling: SubsamplingConfig = Conv2dConfig(kind="conv2d")

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        if self.bidirectional and self.channels % 2:
            raise ValueError(f"channels is {self.channels}: two directions need an even number")
        if self.pyramid_layers >= self.layers:
            raise ValueError(
                f"pyramid_layers is {self.pyramid_layers}, which needs at least {self.pyramid_layers + 1} layers "
                f"(got {self.layers}): the lowest layer keeps the time axis"
            )
        return self

    def _encoder(self, cell: Cell, num_mels: int) -> RecurrentEncoder:
        return RecurrentEncoder(
            cell,
            self.subsampling.build(num_mels, self.channels),
            channels=self.channels,
            layers=self.layers,
            bidirectional=self.bidirectional,
            pyramid_layers=self.pyramid_layers,
            dropout=self.dropout,
        )


class LstmConfig(_RecurrentConfig):
    """Long short-term memory layers."""

    kind: Literal["lstm"]

    def build(self, num_mels: int) -> RecurrentEncoder:
        """Make the encoder."""
        return self._encoder(nn.LSTM, num_mels)


class GruConfig(_RecurrentConfig):
    """Gated recurrent unit layers."""

    kind: Literal["gru"]

    def build(self, num_mels: int) -> RecurrentEncoder:
        """Make the encoder."""
        return self._encoder(nn.GRU, num_mels)


def _read(cell: nn.LSTM | nn.GRU, x: Tensor) -> Tensor:
    """Run a layer over (batch, time, channel) and give its output (batch, time, width)."""
    if not torch.compiler.is_exporting():
        hidden: Tensor = cell(x)[0]
        return hidden
    # in ONNX's own words, whose gates have another order: the exporter takes the length of a recurrence for fixed
    kind, order = ("LSTM", (0, 3, 1, 2)) if isinstance(cell, nn.LSTM) else ("GRU", (1, 0, 2))
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    parts = [cell.get_parameter(name).chunk(len(order)) for name in names]
    inputs, recurrent, *biases = (torch.cat([part[gate] for gate in order])[None] for part in parts)
    batch, time, width = x.size(0), x.size(1), cell.hidden_size
    attributes: dict[str, Any] = {"hidden_size": width} | ({} if kind == "LSTM" else {"linear_before_reset": 1})
    output = torch.onnx.ops.symbolic(
        kind,
        [x.transpose(0, 1), inputs, recurrent, torch.cat(biases, dim=1)],
        attributes,
        dtype=x.dtype,
        shape=(time, 1, batch, width),
        version=22,
    )
    return output.squeeze(1).transpose(0, 1)


def _backwards(lengths: Tensor, max_length: int) -> Tensor:
    """Give the order that reverses each utterance within its length: (batch, time); it is its own inverse."""
    time = torch.arange(max_length, device=lengths.device)
    return torch.where(valid_frames(lengths, max_length), lengths[:, None] - 1 - time, time)


def _join_pairs(x: Tensor) -> Tensor:
    """Put two neighbouring frames into one: (batch, time, channel) to (batch, ceil(time / 2), 2 channel)."""
    x = pad(x, (0, 0, 0, x.size(1) % 2))
    return x.reshape(x.size(0), x.size(1) // 2, 2 * x.size(2))


def _initialise(cell: nn.LSTM | nn.GRU) -> None:
    for name, weight in cell.named_parameters():
        if name.startswith("weight_ih"):
            nn.init.xavier_uniform_(weight)
        elif name.startswith("weight_hh"):
            for gate in weight.chunk(weight.size(0) // weight.size(1)):
                nn.init.orthogonal_(gate)
        else:
            nn.init.zeros_(weight)
    if isinstance(cell, nn.LSTM):
        with torch.no_grad():  # an open forget gate lets gradients through from the start (Jozefowicz 2015, 2.2)
            cell.get_parameter("bias_ih_l0")[cell.hidden_size : 2 * cell.hidden_size] = 1.0
