"""Checkpoints: a model directory with what the loop needs to go on as if it had never stopped.

``checkpoints/step-00001200/`` holds the model's own files, ``optimizer.safetensors`` (the optimizer's values by weight
name, and the state of every process's random generators) and ``training_state.json``. It is written under a temporary
name and renamed when all of it is on disk; the last few and the best few stay. At no moment is there none.
"""

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from asr_s2s.errors import AsrError, CheckpointError, ConfigError
from asr_s2s.files import write_text
from asr_s2s.model_store import refuse_overwriting
from asr_s2s.training.left_out import LEFT_OUT_FILE

OPTIMIZER_FILE = "optimizer.safetensors"
STATE_FILE = "training_state.json"
RANDOM = "random_state"
FULL = tuple(os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


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
    batches: int = 0  # batches of the current epoch's plan that were trained on, by all processes
    seconds: float = 0.0  # time spent so far, in all sittings
    records: int = 0  # lines of the history
    precision: str = "float32"  # decided once, at the start
    scaler: dict[str, float] = field(default_factory=dict)  # of float16: by how much gradients are enlarged
    best: list[Candidate] = field(default_factory=list)  # best first
    without_gain: int = 0  # evaluations since the best one
    alarms_given: list[str] = field(default_factory=list)  # by their causes


def checkpoint_folder(run_folder: Path, step: int) -> Path:
    """Name the checkpoint of a step; names sort in the order of the steps."""
    return run_folder / "checkpoints" / f"step-{step:08d}"


def latest_checkpoint(run_folder: Path) -> Path | None:
    """Find the last complete checkpoint of a run."""
    complete = [folder for folder in _checkpoints(run_folder) if (folder / STATE_FILE).exists()]
    return complete[-1] if complete else None


def save_checkpoint(
    target: Path,
    *,
    write_model: Callable[[Path], None],
    tensors: dict[str, Tensor],
    state: dict[str, Any],
    origin: dict[str, Any],
) -> None:
    """Save all that resuming needs; nothing of it is seen under its name before it is complete.

    write_model: writes the model's own files into a folder; tensors: optimizer_tensors and random_tensors
    origin: what the run was made from (configuration, data), so that resuming with another can be refused

    Raises CheckpointError if the disk is full; what was saved before is whole.
    """
    document = json.dumps({"state": state, "origin": origin}, indent=1, ensure_ascii=False) + "\n"
    if (target / STATE_FILE).exists():  # of this very step: the weights are the same, and are never taken away
        write_text(target / STATE_FILE, document)
        return
    temporary = _hidden(target)
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir(parents=True)
        write_model(temporary)
        save_file(tensors, temporary / OPTIMIZER_FILE)
        (temporary / STATE_FILE).write_text(document, encoding="utf-8")
        _sync([*temporary.iterdir(), temporary])
        shutil.rmtree(target, ignore_errors=True)  # an incomplete one
        temporary.rename(target)
        _sync([target.parent])
    except (OSError, SafetensorError, CheckpointError) as error:
        raise CheckpointError(_unwritten(target, error, needed=_size(tensors))) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def rotate_checkpoints(run_folder: Path, *, last: int, best: Iterable[Candidate] = ()) -> None:
    """Delete all checkpoints but the last few and those of the best candidates, and what a kill left half deleted."""
    kept = {checkpoint_folder(run_folder, candidate.step).name for candidate in best}
    for folder in _checkpoints(run_folder)[:-last]:
        if folder.name not in kept:
            folder.rename(_hidden(folder))  # so that none is seen that lacks a file
    for folder in (run_folder / "checkpoints").glob(".*.tmp"):
        shutil.rmtree(folder, ignore_errors=True)


def checkpoint_to_resume(output: Path, *, resume: bool, overwrite: bool) -> Path | None:
    """Find the checkpoint to go on from.

    Raises ConfigError for a run that is not to be resumed, CheckpointError for a model without a run.
    """
    if overwrite:
        return None
    checkpoint = latest_checkpoint(output)
    if checkpoint and not resume:
        raise ConfigError(
            f"{output} holds a run already. Add --resume to go on with it, name another --output, or replace it with "
            "--overwrite."
        )
    if checkpoint is None:
        refuse_overwriting(output)
    return checkpoint


@contextmanager
def resumable(run_folder: Path, *, save: Callable[[], None]) -> Iterator[None]:
    """Save what was learned before the work in it fails, and say how the run goes on.

    save: writes a checkpoint of the last complete step, where that is needed and possible
    """
    try:
        yield
    except (AsrError, OSError) as error:
        with suppress(AsrError, OSError):
            save()
        if isinstance(error, AsrError):
            raise type(error)(f"{error} {_way_on(run_folder)}") from error
        raise _unusable(error, run_folder) from error


@contextmanager
def beginning(run_folder: Path) -> Iterator[None]:
    """Name the run's folder, and say how it goes on, where it cannot be read or written before any step."""
    try:
        yield
    except OSError as error:
        raise _unusable(error, run_folder) from error


def _unusable(error: OSError, run_folder: Path) -> Exception:
    if isinstance(error, BrokenPipeError):  # the reader of what the run says
        return error
    what = f"{error.filename or run_folder}: cannot be read or written ({error.strerror or error})"
    return CheckpointError(f"{what}. {_way_on(run_folder)}")


def _way_on(run_folder: Path) -> str:
    if not run_folder.exists():
        return f"{run_folder} is gone: bring its disk back, and go on with --resume."
    checkpoint = latest_checkpoint(run_folder)
    return f"{checkpoint} is whole: go on with --resume." if checkpoint else "No checkpoint was saved before."


def clear_run(run_folder: Path) -> None:
    """Delete the checkpoints of an earlier run, and what it left out."""
    shutil.rmtree(run_folder / "checkpoints", ignore_errors=True)
    (run_folder / LEFT_OUT_FILE).unlink(missing_ok=True)


def restore_optimizer(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, *, rank: int = 0) -> None:
    """Put the optimizer's values and the random states of one process back.

    Raises CheckpointError if they do not fit the model.
    """
    tensors = load_file(path)
    parameters = dict(model.named_parameters())
    for key, value in tensors.items():
        name, _, kind = key.rpartition("/")
        if name == f"{RANDOM}/{rank}":
            _set_random(kind, value)
        elif not name.startswith(RANDOM):
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


def read_state(checkpoint: Path) -> TrainingState:
    """Read where a run was."""
    values = read_document(checkpoint)["state"]
    return TrainingState(**values | {"best": [Candidate(**one) for one in values["best"]]})


def optimizer_tensors(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Name each of the optimizer's values after its weight, 'decoder.output.weight/exp_avg'."""
    return {
        f"{name}/{kind}": value.detach().cpu().contiguous()
        for name, parameter in model.named_parameters()
        for kind, value in optimizer.state.get(parameter, {}).items()
    }


def random_states() -> dict[str, Tensor]:
    """Return the states of this process's random generators."""
    states = {"cpu": torch.get_rng_state()}
    return states | ({"cuda": torch.cuda.get_rng_state()} if torch.cuda.is_available() else {})


def random_tensors(states: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Name the random states of all processes, 'random_state/0/cpu'."""
    return {f"{RANDOM}/{rank}/{kind}": value for rank, one in enumerate(states) for kind, value in one.items()}


def _set_random(kind: str, value: Tensor) -> None:
    if kind == "cpu":
        torch.set_rng_state(value)
    elif torch.cuda.is_available():
        torch.cuda.set_rng_state(value)


def _checkpoints(run_folder: Path) -> list[Path]:
    return sorted((run_folder / "checkpoints").glob("step-*"))


def _hidden(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.tmp")


def _size(tensors: dict[str, Tensor]) -> int:
    """Tell about how many bytes a checkpoint has: the optimizer holds two values a weight, the model one."""
    return sum(value.nbytes for value in tensors.values()) * 3 // 2


def _unwritten(target: Path, error: Exception, *, needed: int) -> str:
    free = shutil.disk_usage(next(folder for folder in target.parents if folder.exists())).free
    full = free < needed or any(words in str(error) for words in FULL)
    advice = "Make room (training.keep and training.average say how many stay)" if full else "Check that disk"
    return (
        f"{target}: cannot be written ({error}). A checkpoint needs {needed / 1e6:.1f} MB, {free / 1e6:.1f} MB are "
        f"free. {advice}."
    )


def _sync(paths: Iterable[Path]) -> None:
    for path in paths:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
