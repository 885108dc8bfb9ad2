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
from asr_s2s.models.encoders.encoder import Encoder, reduced
from asr_s2s.models.encoders.stems import Conv2dStemConfig, StemConfig
from asr_s2s.models.masks import valid_frames, zero_beyond

Cell = type[nn.LSTM] | type[nn.GRU]


class RecurrentLayer(nn.Module):
    """One recurrent layer, in one direction or both, with a layer norm behind it.

    halves: two neighbouring frames are joined first (Chan 2016, section 3.1)
    """

    def __init__(self, cell: Cell, channels: int, *, bidirectional: bool, halves: bool, dropout: float) -> None:
        super().__init__()
        self.reduction = 2 if halves else 1
        self.dropout = nn.Dropout(dropout)
        inputs, width = self.reduction * channels, channels // 2 if bidirectional else channels
        self.forward_rnn = cell(inputs, width, batch_first=True)
        self.backward_rnn = cell(inputs, width, batch_first=True) if bidirectional else None
        self.norm = nn.LayerNorm(channels)
        for direction in (self.forward_rnn, self.backward_rnn):
            if direction is not None:
                _initialise(direction)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return (batch, time', channel), zero beyond the lengths, which x may be not."""
        if self.reduction == 2:
            x, lengths = _join_pairs(x), reduced(lengths, 2)
        x = self.dropout(x)
        hidden = _read(self.forward_rnn, x)
        if self.backward_rnn is not None:
            order = _backwards(lengths, x.size(1))[:, :, None]
            reversed_hidden = _read(self.backward_rnn, x.gather(1, order.expand_as(x)))
            backwards = reversed_hidden.gather(1, order.expand(-1, -1, self.backward_rnn.hidden_size))
            hidden = torch.cat([hidden, backwards], dim=2)
        return zero_beyond(self.norm(hidden), lengths), lengths


class _RecurrentConfig(PartConfig):
    channels: Width = 256  # of the output; two directions have half of them each
    layers: Layers = 3  # recurrent layers
    bidirectional: bool = True  # read the utterance backwards too
    pyramid_layers: int = Field(default=0, ge=0, le=8)  # layers above the lowest that halve the time axis again
    dropout: float = Field(default=0.1, ge=0, lt=1)  # between layers, in training
    stem: StemConfig = Conv2dStemConfig(kind="conv2d")  # what shortens the features first

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

    def _encoder(self, cell: Cell, input_size: int) -> Encoder:
        stem = self.stem.build(input_size, self.channels)
        layers = [
            RecurrentLayer(
                cell,
                self.channels,
                bidirectional=self.bidirectional,
                halves=1 <= layer <= self.pyramid_layers,
                dropout=self.dropout,
            )
            for layer in range(self.layers)
        ]
        return Encoder(stem, layers, channels=self.channels)


class LstmConfig(_RecurrentConfig):
    """Long short-term memory layers."""

    kind: Literal["lstm"]

    def build(self, input_size: int) -> Encoder:
        """Make the encoder."""
        return self._encoder(nn.LSTM, input_size)


class GruConfig(_RecurrentConfig):
    """Gated recurrent unit layers."""

    kind: Literal["gru"]

    def build(self, input_size: int) -> Encoder:
        """Make the encoder."""
        return self._encoder(nn.GRU, input_size)


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
    """Return the order that reverses each utterance within its length: (batch, time); it is its own inverse."""
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
