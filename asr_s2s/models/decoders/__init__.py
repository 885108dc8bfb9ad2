"""From encodings and the tokens so far to scores of the next token: the union of config classes is the registry."""

from typing import Annotated

from pydantic import Field

from asr_s2s.models.decoders.rnn import RnnConfig
from asr_s2s.models.decoders.transformer import TransformerDecoderConfig

DecoderConfig = Annotated[RnnConfig | TransformerDecoderConfig, Field(discriminator="kind")]
