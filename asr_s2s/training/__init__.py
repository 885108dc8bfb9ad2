"""From a configuration to a trained model directory: one visible loop and what it needs."""

from pathlib import Path

from asr_s2s.training.experiment import ExperimentConfig, TrainingConfig
from asr_s2s.training.find_batch import advised, find_batch
from asr_s2s.training.language import LanguageExperimentConfig, train_language_model
from asr_s2s.training.loop import train
from asr_s2s.training.result import TrainingResult

FINETUNE = Path(__file__).parent / "finetune.yaml"  # adapts a trained model

__all__ = [
    "FINETUNE",
    "ExperimentConfig",
    "LanguageExperimentConfig",
    "TrainingConfig",
    "TrainingResult",
    "advised",
    "find_batch",
    "train",
    "train_language_model",
]
