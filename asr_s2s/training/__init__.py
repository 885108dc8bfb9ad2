"""From a configuration to a trained model directory: one visible loop and what it needs."""

from asr_s2s.training.experiment import ExperimentConfig, TrainingConfig
from asr_s2s.training.loop import train
from asr_s2s.training.result import TrainingResult

__all__ = ["ExperimentConfig", "TrainingConfig", "TrainingResult", "train"]
