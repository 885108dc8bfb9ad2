"""Language models: how probable is the next token after the ones before, without any sound.

A search calls one as it does a decoder: start, step, reorder, keep; states are values.
"""

from typing import Annotated

from pydantic import Field

from asr_s2s.models.language_models.lstm import LstmLanguageConfig, LstmLanguageModel
from asr_s2s.models.language_models.transformer import TransformerLanguageConfig, TransformerLanguageModel

LanguageModel = LstmLanguageModel | TransformerLanguageModel
LanguageModelConfig = Annotated[LstmLanguageConfig | TransformerLanguageConfig, Field(discriminator="kind")]

__all__ = ["LanguageModel", "LanguageModelConfig"]
