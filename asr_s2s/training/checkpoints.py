"""Checkpoints: a model directory with what the loop needs to go on as if it had never stopped.

``checkpoints/step-00001200/`` holds the model's own files, ``optimizer.safetensors`` (the optimizer's values by weight
name, and the state of the random generators) and ``training_state.json``. It is written under a temporary name and
renamed when all of it is on disk; the last few and the best few stay.
"""

import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from asr_s2s.errors import CheckpointError
from asr_s2s.model_store import SpeechSystem, save_model

OPTIMIZER_FILE = "optimizer.safetensors"
STATE_FILE = "training_state.json"
CPU_RANDOM, CUDA_RANDOM = "random_state/cpu", "random_state/cuda"


@dataclass(frozen=True)
class Candidate:
    """A checkpoint that may be the result: its scores on the development set, compared in this order."""

    wer: float
    loss: float
    cer: float
    step: int


@dataclass
class TrainingState:
    """Where a run is; with weights, optimizer and random states all that the next step depends on."""

    step: int = 0  # updates made
    epoch: int = 0  # epochs completed
    batches: int = 0  # batches of the current epoch's plan that were trained on
    seconds: float = 0.0  # time spent so far, in all sittings
    bfloat16: bool = False  # decided once, at the start
    best: list[Candidate] = field(default_factory=list)  # best first
    told: list[str] = field(default_factory=list)  # causes of alarms that were already given


def checkpoint_folder(run_folder: Path, step: int) -> Path:
    """Name the checkpoint of a step; names sort in the order of the steps."""
    return run_folder / "checkpoints" / f"step-{step:08d}"


def latest_checkpoint(run_folder: Path) -> Path | None:
    """Find the last complete checkpoint of a run."""
    complete = [folder for folder in _checkpoints(run_folder) if (folder / STATE_FILE).exists()]
    return complete[-1] if complete else None


def save_checkpoint(
    run_folder: Path,
    system: SpeechSystem,
    *,
    optimizer: torch.optim.Optimizer,
    state: TrainingState,
    origin: dict[str, Any],
) -> Path:
    """Save all that resuming needs; nothing of it is seen under its name before it is complete.

    origin: what the run was made from (configuration, data), so that resuming with another can be refused
    """
    target = checkpoint_folder(run_folder, state.step)
    temporary = target.with_name(f".{target.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        save_model(temporary, system, card="A checkpoint of a training run; see the model card of the run's folder.\n")
        save_file(optimizer_tensors(system.model, optimizer) | random_states(), temporary / OPTIMIZER_FILE)
        document = json.dumps({"state": asdict(state), "origin": origin}, indent=1, ensure_ascii=False)
        (temporary / STATE_FILE).write_text(document + "\n", encoding="utf-8")
        _sync([*temporary.iterdir(), temporary])
        shutil.rmtree(target, ignore_errors=True)
        temporary.rename(target)
        _sync([target.parent])
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return target


def rotate_checkpoints(run_folder: Path, *, last: int, best: Iterable[Candidate]) -> None:
    """Delete all checkpoints but the last few and those of the best candidates."""
    kept = {checkpoint_folder(run_folder, candidate.step).name for candidate in best}
    for folder in _checkpoints(run_folder)[:-last]:
        if folder.name not in kept:
            shutil.rmtree(folder)


def restore_state(checkpoint: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> TrainingState:
    """Put optimizer and random states back; the weights come with the checkpoint's model directory.

    Raises CheckpointError if the files do not fit the model.
    """
    restore_optimizer(checkpoint / OPTIMIZER_FILE, model, optimizer)
    values = read_document(checkpoint)["state"]
    return TrainingState(**values | {"best": [Candidate(**one) for one in values["best"]]})


def restore_optimizer(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Put the optimizer's values and the random states of a file back.

    Raises CheckpointError if they do not fit the model.
    """
    tensors = load_file(path)
    torch.set_rng_state(tensors.pop(CPU_RANDOM))
    cuda = tensors.pop(CUDA_RANDOM, None)
    if cuda is not None and torch.cuda.is_available():
        torch.cuda.set_rng_state(cuda)
    parameters = dict(model.named_parameters())
    for key, value in tensors.items():
        name, _, kind = key.partition("/")
        if name not in parameters:
            raise CheckpointError(f"{path}: '{name}' is not a weight of this model.")
        optimizer.state[parameters[name]][kind] = value.to(parameters[name].device)


def read_document(checkpoint: Path) -> dict[str, Any]:
    """Read a checkpoint's state and origin.

    Raises CheckpointError that names the file if it is not the JSON that save_checkpoint wrote.
    """
    path = checkpoint / STATE_FILE
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{path}: cannot be read ({error}). Delete {checkpoint} to use the one before."
        ) from error
    return document


def _checkpoints(run_folder: Path) -> list[Path]:
    return sorted((run_folder / "checkpoints").glob("step-*"))


def optimizer_tensors(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Name each of the optimizer's values after its weight, 'decoder.output.weight/exp_avg'."""
    return {
        f"{name}/{kind}": value.detach().cpu().contiguous()
        for name, parameter in model.named_parameters()
        for kind, value in optimizer.state.get(parameter, {}).items()
    }


def random_states() -> dict[str, Tensor]:
    """Give the states of the random generators by name."""
    states = {CPU_RANDOM: torch.get_rng_state()}
    return states | ({CUDA_RANDOM: torch.cuda.get_rng_state()} if torch.cuda.is_available() else {})


def _sync(paths: Iterable[Path]) -> None:
    for path in paths:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
