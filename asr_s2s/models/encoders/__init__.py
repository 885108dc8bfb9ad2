"""From features to encodings: one config class per encoder, joined in a union that is the whole registry."""

from typing import Annotated, Protocol

from pydantic import Field
from torch import Tensor, nn

from asr_s2s.models.encoders.conformer import ConformerConfig
from asr_s2s.models.encoders.recurrent import GruConfig, LstmConfig
from asr_s2s.models.encoders.transformer import TransformerConfig


class Encoder(Protocol):
    """Encodes utterances of a padded batch, each as if it were alone.

    A call is `upper` of `lower`, with any number of layers between the two.
    """

    channels: int
    layers: nn.ModuleList

    def __call__(self, features: Tensor, feature_lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Encode features (batch, time, mel) with feature_lengths (batch,), each at least 1.

        returns: encoder_out (batch, time', channel), zero beyond encoder_lengths (batch,)
        """
        ...

    def lower(self, features: Tensor, feature_lengths: Tensor, *, layers: int) -> tuple[Tensor, Tensor]:
        """Give what the lowest layers make of features: states (batch, time', channel) and their lengths (batch,)."""
        ...

    def upper(self, states: Tensor, lengths: Tensor, *, layers: int) -> tuple[Tensor, Tensor]:
        """Give encoder_out and encoder_lengths of what `lower` gave for so many layers."""
        ...

    def output_lengths(self, feature_lengths: Tensor) -> Tensor:
        """Give the number of encoded frames that hold these numbers of feature frames: (batch,).

        An encoder may give more, which stand for silence after them.
        """
        ...


EncoderConfig = Annotated[LstmConfig | GruConfig | TransformerConfig | ConformerConfig, Field(discriminator="kind")]
