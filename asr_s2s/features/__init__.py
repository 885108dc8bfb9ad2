"""Front ends: samples to log-mel features, and what is done to features in training."""

from typing import Annotated

from pydantic import Field

from asr_s2s.features.front_end import FRAME_SHIFT, SAMPLE_RATE, Filterbank, FrontEnd
from asr_s2s.features.kaldi import KaldiConfig
from asr_s2s.features.normalization import FeatureStatistics
from asr_s2s.features.spec_augment import spec_augment
from asr_s2s.features.whisper import WhisperConfig

InputConfig = Annotated[KaldiConfig | WhisperConfig, Field(discriminator="kind")]

__all__ = [
    "FRAME_SHIFT",
    "SAMPLE_RATE",
    "FeatureStatistics",
    "Filterbank",
    "FrontEnd",
    "InputConfig",
    "KaldiConfig",
    "WhisperConfig",
    "spec_augment",
]
