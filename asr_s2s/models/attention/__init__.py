"""Attention for the rnn decoder: how a step looks at the encoding.

To add one, write `attention/<name>.py` and add its config to the union below.
"""

from typing import Annotated

from pydantic import Field

from asr_s2s.models.attention.additive import AdditiveConfig
from asr_s2s.models.attention.dot import DotConfig
from asr_s2s.models.attention.location import LocationConfig
from asr_s2s.models.attention.memory import Attention, Memory
from asr_s2s.models.attention.multihead import MultiHeadConfig
from asr_s2s.models.attention.none import NoneConfig

AttentionConfig = Annotated[
    DotConfig | AdditiveConfig | LocationConfig | MultiHeadConfig | NoneConfig, Field(discriminator="kind")
]

__all__ = [
    "AdditiveConfig",
    "Attention",
    "AttentionConfig",
    "DotConfig",
    "LocationConfig",
    "Memory",
    "MultiHeadConfig",
    "NoneConfig",
]
