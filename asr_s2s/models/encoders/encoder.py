"""The encoder: a stem, layers and a tail, whatever they are."""

import math
from collections.abc import Iterable, Sequence
from typing import Protocol, cast

from torch import Tensor, nn

from asr_s2s.models.masks import zero_beyond
from asr_s2s.models.positions import Positions


class Layer(Protocol):
    """A module that turns frames into frames: the stem, which takes the model's input, or a layer above it.

    reduction: how many neighbouring frames become one
    """

    reduction: int

    def __call__(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Transform each utterance; frames beyond its length do not influence those within.

        x: (batch, time, channel), lengths: (batch,), each at least 1
        returns: (batch, time', channel'), open beyond the lengths, and reduced(lengths, reduction)
        """
        ...


class Encoder(nn.Module):
    """Encodes utterances of a padded batch, each as if it were alone.

    positions: added to what the stem gives, for layers that do not know the order of frames
    tail: transforms each frame after the last layer
    """

    def __init__(
        self,
        stem: Layer,
        layers: Sequence[Layer],
        *,
        channels: int,
        positions: Positions | None = None,
        tail: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.channels = channels
        self.reduction = math.prod(part.reduction for part in (stem, *layers))
        self.stem = stem
        self.positions = positions
        self.layers = nn.ModuleList(cast("Iterable[nn.Module]", layers))
        self.tail = tail or nn.Identity()

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Encode each utterance; frames beyond its length do not influence the result.

        x: (batch, time, input_size), such as features; lengths: (batch,), each at least 1
        returns: encoder_out (batch, time', channel), zero beyond encoder_lengths (batch,)
        """
        return self.upper(*self.lower(x, lengths, layers=0), layers=0)

    def lower(self, x: Tensor, lengths: Tensor, *, layers: int) -> tuple[Tensor, Tensor]:
        """Return states (batch, time', channel) after so many layers, and their lengths; training may keep them."""
        x, lengths = self.stem(x, lengths)
        if self.positions is not None:
            x, lengths = self.positions(x, lengths)
        return self._through(range(layers), x, lengths)

    def upper(self, states: Tensor, lengths: Tensor, *, layers: int) -> tuple[Tensor, Tensor]:
        """Return encoder_out and encoder_lengths from what `lower` returned for so many layers."""
        x, lengths = self._through(range(layers, len(self.layers)), states, lengths)
        return zero_beyond(self.tail(x), lengths), lengths

    def _through(self, layers: range, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        for layer in layers:
            x, lengths = self.layers[layer](x, lengths)
        return x, lengths

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """Return the number of encoded frames that hold these numbers of input frames: (batch,).

        An encoder with merged silence gives more, which stand for silence after them.
        """
        return reduced(lengths, self.reduction)


def reduced(lengths: Tensor, reduction: int) -> Tensor:
    """Count frames after neighbours were joined, the last of them with fewer: (batch,) in and out."""
    return (lengths + reduction - 1) // reduction
