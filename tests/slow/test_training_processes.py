"""Several processes make the steps that one makes, whatever happens to one of them."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file
from together import train_together
from training_tiny import QUIET, tiny_experiment

from asr_s2s.config import write_config
from asr_s2s.training import ExperimentConfig, loop, train
from asr_s2s.training.history import read_history

pytestmark = pytest.mark.slow

ATOL = 1e-5  # float32 sums in another order, and AdamW divides small gradients by their own size; worst seen 2e-7


def without_dropout(folder: Path, **training: Any) -> ExperimentConfig:
    config = tiny_experiment(folder, **{"epochs": 2, "average": 1, **training})
    model = config.model.model_copy(
        update={
            "encoder": config.model.encoder.model_copy(update={"dropout": 0.0}),
            "decoder": config.model.decoder.model_copy(update={"dropout": 0.0}),
        }
    )
    return config.model_copy(update={"model": model})


def assert_near(one: Path, other: Path, *, atol: float = ATOL) -> None:
    before, after = load_file(one / "model.safetensors"), load_file(other / "model.safetensors")
    for name, value in before.items():
        torch.testing.assert_close(after[name], value, atol=atol, rtol=0, msg=lambda text, name=name: f"{name}: {text}")
    records = [read_history(folder / "history.jsonl") for folder in (one, other)]
    for first, second in zip(*records, strict=True):
        for key in first.keys() & {"step", "cross_entropy_loss", "ctc_loss", "length_loss", "gradient_norm", "wer"}:
            assert second[key] == pytest.approx(first[key], rel=1e-4), key


@pytest.mark.parametrize("count", [2, 3])  # three processes leave two of them without a batch in the last step
def test_processes_train_as_one_that_accumulates_as_many_batches(count: int, tmp_path: Path) -> None:
    train(without_dropout(tmp_path, accumulate=count), output=tmp_path / "one", console=QUIET)
    assert train_together(without_dropout(tmp_path, accumulate=1), tmp_path / "many", count=count) == [0] * count
    assert_near(tmp_path / "one", tmp_path / "many")


def run_out_of_memory(rank: int) -> None:
    """Let the second process fail in its second batch of several utterances, and whenever it is not yet split."""
    usual, seen = loop.forward, []

    def forward(system: Any, batch: Any, **options: Any) -> Any:
        if len(batch) > 1:
            seen.append(batch.ids)
            if len(seen) == 2:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 7 GiB")
        return usual(system, batch, **options)

    if rank == 1:
        loop.forward = forward


def test_a_process_that_is_out_of_memory_halves_its_batch_and_the_others_do_not_notice(tmp_path: Path) -> None:
    config = without_dropout(tmp_path, accumulate=1)
    config = config.model_copy(update={"data": config.data.model_copy(update={"batch_seconds": 7})})
    assert train_together(config, tmp_path / "whole", count=2) == [0, 0]
    assert train_together(config, tmp_path / "halved", count=2, spoil=run_out_of_memory) == [0, 0]
    assert_near(tmp_path / "whole", tmp_path / "halved")
    told = (tmp_path / "1.txt").read_text()
    assert re.search(r"process 1: step \d+: out of memory with \d utterances of up to \d+ frames; halved: \w+", told)
    assert "process" not in (tmp_path / "0.txt").read_text().replace("in 2 processes", "")


def test_a_recording_that_one_process_cannot_read_makes_its_batch_smaller_for_all(tmp_path: Path) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"no sound")

    def with_broken_one(config: ExperimentConfig) -> ExperimentConfig:
        manifest = tmp_path / "train.jsonl"
        lines = manifest.read_text().splitlines()
        lines[1] = json.dumps(json.loads(lines[1]) | {"audio_filepath": str(broken)})
        manifest.write_text("\n".join(lines) + "\n")
        return config

    train(with_broken_one(without_dropout(tmp_path, accumulate=2)), output=tmp_path / "one", console=QUIET)
    config = with_broken_one(without_dropout(tmp_path, accumulate=1))
    assert train_together(config, tmp_path / "many", count=2) == [0, 0]
    assert_near(tmp_path / "one", tmp_path / "many")
    lists = [(tmp_path / name / "left_out.jsonl").read_text() for name in ("one", "many")]
    assert lists[0] == lists[1]
    assert lists[0].count("\n") == 1


def test_the_others_are_told_that_a_process_has_ended_and_not_that_we_are_at_fault(tmp_path: Path) -> None:
    config = without_dropout(tmp_path, accumulate=1)
    (tmp_path / "dev.jsonl").write_text('{"id": "d", "audio_filepath": "nosuch.wav", "text": "one"}\n')
    write_config(tmp_path / "tiny.yaml", config)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "asr_s2s", "train"]
    command += [str(tmp_path / "tiny.yaml"), "--output", str(tmp_path / "many")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode
    assert done.stderr.count("nosuch.wav: there is no such file") == 1
    assert done.stderr.count("Another process of this run has ended; its message says why") <= 1  # or it was ended
    assert "fault of asr-s2s" not in done.stderr


def crash_in_the_third_step(rank: int) -> None:
    usual = loop.learning_rate

    def learning_rate(step: int, progress: float, **options: Any) -> float:
        if step == 3:
            raise SystemExit(9)
        return usual(step, progress, **options)

    loop.learning_rate = learning_rate


def test_processes_that_crashed_and_were_resumed_equal_unbroken_ones_to_the_bit(tmp_path: Path) -> None:
    config = tiny_experiment(tmp_path, checkpoint_steps=1, accumulate=1)  # with dropout: each has its random states
    assert train_together(config, tmp_path / "whole", count=2) == [0, 0]
    assert train_together(config, tmp_path / "broken", count=2, spoil=crash_in_the_third_step) == [9, 9]
    assert train_together(config, tmp_path / "broken", count=2) == [0, 0]
    assert_near(tmp_path / "whole", tmp_path / "broken", atol=0)


def test_torchrun_trains_with_the_command_and_one_process_speaks_and_writes(tmp_path: Path) -> None:
    config = without_dropout(tmp_path, accumulate=1)
    write_config(tmp_path / "tiny.yaml", config)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "asr_s2s", "train"]
    command += [str(tmp_path / "tiny.yaml"), "--output", str(tmp_path / "many")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("in 2 processes") == 1
    assert done.stderr.count("done. WER") == 1
    assert sorted(path.name for path in (tmp_path / "many").iterdir()) == [
        *("README.md", "checkpoints", "config.yaml", "experiment.yaml", "history.jsonl", "model.safetensors"),
        *("report.html", "result.json", "tokens.txt", "utterances.jsonl"),
    ]
    train(without_dropout(tmp_path, accumulate=2), output=tmp_path / "one", console=Console(quiet=True))
    assert_near(tmp_path / "one", tmp_path / "many")
