"""Training where something runs out, or somebody ends it: memory, the disk, the patience of who runs the machine."""

import ctypes
import os
import re
import resource
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file
from together import FORKS
from training_tiny import QUIET, tiny_experiment

from asr_s2s.config import write_config
from asr_s2s.errors import AsrError
from asr_s2s.manifest import read_manifest, write_manifest
from asr_s2s.models.encoders.transformer import TransformerConfig
from asr_s2s.training import ExperimentConfig, train
from asr_s2s.training import start as start_module
from asr_s2s.training.checkpoints import latest_checkpoint

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
FULL = 3  # exit status of a process that said what it lacks
STATUS = Path("/proc/self/status")
M_ARENA_MAX = -8  # malloc.h


def train_within(config: ExperimentConfig, output: Path, said: Path, limits: dict[int, int], foresee: bool) -> None:
    torch.set_num_threads(1)
    ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)  # glibc's threads else take 64 MB of addresses each on a busy machine
    for kind, limit in limits.items():
        taken = int(re.search(r"VmSize:\s+(\d+)", STATUS.read_text())[1]) * 1024 if kind == resource.RLIMIT_AS else 0
        resource.setrlimit(kind, (taken + limit, resource.RLIM_INFINITY))
    if not foresee:
        start_module._memory_need = lambda *_, **__: None
    with said.open("w") as file:
        try:
            train(config, output=output, resume=True, console=Console(file=file, width=500))
        except AsrError as error:
            file.write(str(error))
            file.flush()
            os._exit(FULL)


def in_a_process(config: ExperimentConfig, output: Path, *, foresee: bool = True, **limits: int) -> tuple[int, str]:
    """Train in a process with limits of its own; give its exit status and what it said."""
    said = output.parent / "said.txt"
    numbers = {getattr(resource, f"RLIMIT_{name}"): limit for name, limit in limits.items()}
    process = FORKS.Process(target=train_within, args=(config, output, said, numbers, foresee))
    process.start()
    process.join(200)
    assert process.exitcode is not None
    return process.exitcode, said.read_text()


def test_a_disk_that_is_full_leaves_the_last_checkpoint_whole_and_the_run_goes_on_when_there_is_room(
    tmp_path: Path,
) -> None:
    config = tiny_experiment(tmp_path, epochs=3, checkpoint_steps=1, decay="constant")
    train(config, output=tmp_path / "whole", console=QUIET)
    train(
        tiny_experiment(tmp_path, epochs=1, checkpoint_steps=1, decay="constant"),
        output=tmp_path / "run",
        console=QUIET,
    )
    before = latest_checkpoint(tmp_path / "run")
    assert before is not None
    size = (before / "optimizer.safetensors").stat().st_size
    status, said = in_a_process(config, tmp_path / "run", FSIZE=size - 4096)  # no file may be as large as that
    assert status == FULL
    assert re.search(r"step-00000003: cannot be written \(.*\)\. A checkpoint needs 0\.\d MB, [\d.]+ MB are free", said)
    assert f"{before} is whole" in said
    assert "--resume" in said
    assert latest_checkpoint(tmp_path / "run") == before
    assert in_a_process(config, tmp_path / "run")[0] == 0
    whole, resumed = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "run"))
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())


def of_many(folder: Path) -> ExperimentConfig:
    """Give an experiment with a batch of 120 recordings, which takes some 750 MB."""
    config = tiny_experiment(folder, epochs=1, average=1, accumulate=1)
    items = read_manifest(folder / "train.jsonl")
    copies = [replace(item, id=f"{item.id}-{number}") for number in range(24) for item in items]
    write_manifest(folder / "train.jsonl", copies)
    encoder = {"kind": "transformer", "channels": 128, "heads": 4, "layers": 2, "feedforward": 1024}
    stem = {"kind": "conv2d", "maps": 128}
    model = config.model.model_copy(update={"encoder": TransformerConfig.model_validate(encoder | {"stem": stem})})
    return config.model_copy(update={"model": model, "data": config.data.model_copy(update={"batch_seconds": 1000.0})})


@pytest.mark.skipif(not STATUS.exists(), reason="Linux tells what a process takes")
@pytest.mark.parametrize("foresee", [True, False])
def test_with_little_memory_batches_are_halved_and_the_run_comes_to_its_end(foresee: bool, tmp_path: Path) -> None:
    status, said = in_a_process(of_many(tmp_path), tmp_path / "run", AS=550 * 2**20, foresee=foresee)
    assert status == 0, said
    cause = r"need about \d+ MB, \d+ MB are free" if foresee else r"out of memory with \d+ utterances"
    assert re.search(cause, said), said
    assert "halved: " in said
    assert "WER" in said


def test_the_command_saves_itself_when_it_is_terminated_and_leaves_with_128_plus_15(tmp_path: Path) -> None:

    config = tiny_experiment(tmp_path, epochs=100_000, log_every=1, checkpoint_minutes=None, evaluate_every=50_000)
    write_config(tmp_path / "tiny.yaml", config)
    command = f"{sys.executable} -m asr_s2s train {tmp_path / 'tiny.yaml'} --output {tmp_path / 'run'}; echo $?"
    shell = subprocess.Popen(command, shell=True, stdout=subprocess.PIPE, text=True, start_new_session=True)  # noqa: S602
    history = tmp_path / "run" / "history.jsonl"
    deadline = time.monotonic() + 100
    while not (history.exists() and history.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert latest_checkpoint(tmp_path / "run") is None
    children = subprocess.run(
        ["pgrep", "-P", str(shell.pid)], capture_output=True, text=True, check=True
    ).stdout.split()
    os.kill(int(children[0]), signal.SIGTERM)
    assert shell.communicate(timeout=60)[0].strip() == str(128 + signal.SIGTERM)
    assert latest_checkpoint(tmp_path / "run") is not None
