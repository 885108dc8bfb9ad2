"""From a configuration to a trained model directory: one visible loop and what it needs."""

from asr_s2s.training.experiment import ExperimentConfig, TrainingConfig
from asr_s2s.training.language import LanguageExperimentConfig, train_language_model
from asr_s2s.training.loop import train
from asr_s2s.training.result import TrainingResult

__all__ = [
    "ExperimentConfig",
    "LanguageExperimentConfig",
    "TrainingConfig",
    "TrainingResult",
    "train",
    "train_language_model",
]
