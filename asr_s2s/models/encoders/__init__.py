"""From features to encodings: an encoder is a stem, layers and a tail; each kind of layers has a config class.

To add one, write `encoders/<name>.py` and add its config to the union below.
"""

from typing import Annotated

from pydantic import Field

from asr_s2s.models.encoders.conformer import ConformerConfig
from asr_s2s.models.encoders.encoder import Encoder, Layer
from asr_s2s.models.encoders.recurrent import GruConfig, LstmConfig
from asr_s2s.models.encoders.transformer import TransformerConfig

EncoderConfig = Annotated[LstmConfig | GruConfig | TransformerConfig | ConformerConfig, Field(discriminator="kind")]

__all__ = ["ConformerConfig", "Encoder", "EncoderConfig", "GruConfig", "Layer", "LstmConfig", "TransformerConfig"]
