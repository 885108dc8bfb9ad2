"""Batches that come from processes of their own teach what those of a thread do, and leave no process behind."""

from multiprocessing import active_children
from pathlib import Path

import pytest
import torch
from training_tiny import QUIET, tiny_experiment

from asr_s2s.model_store.directory import load_model
from asr_s2s.training import ExperimentConfig, train

pytestmark = pytest.mark.slow


def experiment(folder: Path, *, workers: int) -> ExperimentConfig:
    config = tiny_experiment(folder, epochs=3)
    return config.model_copy(update={"data": config.data.model_copy(update={"workers": workers})})


def test_two_processes_teach_what_a_thread_does(tmp_path: Path) -> None:
    before = set(active_children())
    for workers in (1, 2):
        train(experiment(tmp_path, workers=workers), output=tmp_path / str(workers), console=QUIET)
    assert set(active_children()) == before
    weights, others = (dict(load_model(tmp_path / name).model.named_parameters()) for name in ("1", "2"))
    for name, value in weights.items():
        assert torch.equal(value, others[name]), name
