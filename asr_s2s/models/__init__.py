"""From features to scores of tokens: encoders, decoders, the attention between them, and what they are trained with."""

from asr_s2s.models.distillation import DistillationConfig, TeacherOutput
from asr_s2s.models.language_models import LanguageModel, LanguageModelConfig
from asr_s2s.models.losses import (
    LossConfig,
    Losses,
    cross_entropy,
    ctc_loss,
    guided_attention_loss,
    length_loss,
    loss_counts,
    total_loss,
    with_start_and_end,
)
from asr_s2s.models.masks import valid_frames
from asr_s2s.models.silence import MergedSilence, MergedSilenceConfig
from asr_s2s.models.speech_model import ModelConfig, ModelOutput, SpeechModel

__all__ = [
    "DistillationConfig",
    "LanguageModel",
    "LanguageModelConfig",
    "LossConfig",
    "Losses",
    "MergedSilence",
    "MergedSilenceConfig",
    "ModelConfig",
    "ModelOutput",
    "SpeechModel",
    "TeacherOutput",
    "cross_entropy",
    "ctc_loss",
    "guided_attention_loss",
    "length_loss",
    "loss_counts",
    "total_loss",
    "valid_frames",
    "with_start_and_end",
]
