"""How a run starts: anew, from another model, or from its last checkpoint."""

from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from asr_s2s.config import write_config
from asr_s2s.data import Batch, SpeechDataset
from asr_s2s.errors import ConfigError, listed
from asr_s2s.model_store import SpeechSystem, load_model
from asr_s2s.training.checkpoints import (
    OPTIMIZER_FILE,
    TrainingState,
    latest_checkpoint,
    read_state,
    restore_optimizer,
)
from asr_s2s.training.clock import Clock
from asr_s2s.training.evaluate import forward
from asr_s2s.training.experiment import ExperimentConfig
from asr_s2s.training.history import History
from asr_s2s.training.material import (
    Material,
    adapted_system,
    data_sets,
    left_out_by_ctc,
    new_system,
    read_material,
    set_statistics,
)
from asr_s2s.training.memory import MemoryNeed, measure_need
from asr_s2s.training.optimizer import make_optimizer
from asr_s2s.training.origin import check_origin
from asr_s2s.training.precision import Arithmetic, choose_arithmetic
from asr_s2s.training.processes import Processes
from asr_s2s.training.progress import Report
from asr_s2s.training.run import Run, plan_of
from asr_s2s.training.teacher import Teacher, check_teacher, check_window
from asr_s2s.training.tensorboard import EventFiles

UTTERANCES_FILE = "utterances.jsonl"

# What may differ when a run is resumed: how long it goes on, and what leaves the weights as they are. The batches of a
# step must be as many (batches_per_step), whether processes or accumulation make them.
CHANGEABLE = (
    *(
        "epochs",
        "minutes",
        "threads",
        "plots",
        "tensorboard",
        "samples",
        "keep",
        "accumulate",
        "alarm_after",
        "patience",
    ),
    *("checkpoint_steps", "checkpoint_minutes"),
)


def start(
    config: ExperimentConfig,
    *,
    output: Path,
    resume: bool,
    initial: SpeechSystem | None,
    report: Report,
    processes: Processes | None = None,
) -> Run:
    """Read the data, build or load the model, and stand where the run starts or goes on.

    Raises ConfigError if the folder holds another run, CheckpointError if what is resumed was made otherwise.
    """
    processes = processes or Processes()
    training = config.training
    checkpoint = processes.of_first(latest_checkpoint(output))
    if checkpoint and not resume:
        raise ConfigError(f"{output} holds a run already. Add --resume to go on with it, or name another --output.")
    material = read_material(config)
    origin = _origin(config, material, processes)
    if checkpoint:
        check_origin(
            checkpoint,
            origin,
            changeable={f"config.training.{name}" for name in CHANGEABLE},
            difference=lambda: material.difference(output / UTTERANCES_FILE),
        )
    torch.manual_seed(training.seed)
    system, train_set, dev_set = _parts(config, material, checkpoint or initial, processes)
    if training.dropout is not None:
        for part in system.model.modules():
            if isinstance(part, nn.Dropout):
                part.p = training.dropout
    device = _device(training.device, processes)
    optimizer = make_optimizer(system.model.to(device), weight_decay=training.weight_decay, shares=training.rates)
    teacher = _teacher(config, system, train_set, device=device)
    if processes.rank:
        torch.manual_seed(training.seed + 1_000_003 * processes.rank)  # no two processes drop the same channels
    need = _memory_need(config, system, train_set, device=device)
    if checkpoint:  # after all that draws random numbers: fresh weights do, before they are overwritten
        state = read_state(checkpoint)
        restore_optimizer(checkpoint / OPTIMIZER_FILE, system.model, optimizer, rank=processes.rank)
    else:
        state = TrainingState(precision=processes.of_first(_decide_precision(config, system, train_set, device=device)))
    scaler = torch.amp.GradScaler(device.type, enabled=state.precision == "float16")
    if state.scaler:
        scaler.load_state_dict(state.scaler)
    if training.compile:
        system.model.get_submodule("encoder").compile(dynamic=True)
    if processes.first:
        write_config(output / "experiment.yaml", config)
        material.write(output / UTTERANCES_FILE)
    run = Run(
        config=config,
        folder=output,
        system=system,
        material=material,
        train_set=train_set,
        dev_set=dev_set,
        teacher=teacher,
        optimizer=optimizer,
        scaler=scaler,
        state=state,
        history=History(output / "history.jsonl" if processes.first else None, records=state.records),
        events=EventFiles(output / "events", step=state.step) if training.tensorboard and processes.first else None,
        report=report,
        origin=origin,
        device=device,
        processes=processes,
        clock=Clock(training.minutes, before=state.seconds),
        need=need,
        num_steps=training.epochs
        * -(-len(plan_of(config, train_set.augmented_durations(0), epoch=0)) // origin["batches_per_step"]),
        saved_at=state.seconds,
    )
    _introduce(run, checkpoint)
    return run


def _parts(
    config: ExperimentConfig, material: Material, before: Path | SpeechSystem | None, processes: Processes
) -> tuple[SpeechSystem, SpeechDataset, SpeechDataset]:
    """Give the model, the training and the development set.

    before: the checkpoint to go on from, or the system to start from
    """
    if isinstance(before, Path):
        system = load_model(before)
        return system, *data_sets(config, material, system)
    system = adapted_system(config, before) if before else new_system(config, material)
    train_set, dev_set = data_sets(config, material, system)
    if not (before and system.front_end is before.front_end):
        if processes.first:  # reads all of the audio
            set_statistics(system, train_set)
        system.front_end.load_state_dict(processes.of_first(system.front_end.state_dict()))
    return system, train_set, dev_set


def _origin(config: ExperimentConfig, material: Material, processes: Processes) -> dict[str, Any]:
    """Name what the weights depend on."""
    return {
        "config": config.model_dump(mode="json"),
        "batches_per_step": config.training.accumulate * processes.count,
        "data": material.fingerprint,
    }


def _teacher(
    config: ExperimentConfig, system: SpeechSystem, train_set: SpeechDataset, *, device: torch.device
) -> Teacher | None:
    """Load the model that the run shall imitate, if there is one."""
    distillation = config.losses.distillation
    if distillation is None:
        return None
    teacher = load_model(distillation.teacher)
    check_teacher(teacher, system, config=distillation)
    check_window(teacher, train_set, config=distillation)
    return Teacher(teacher, train_set, config=distillation, device=device)


def _device(name: str, processes: Processes) -> torch.device:
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise ConfigError("training.device: 'cuda' was asked for and none is there. Set it to auto or cpu.")
    if not available or name == "cpu":
        return torch.device("cpu")
    torch.cuda.set_device(processes.local_rank)
    return torch.device("cuda", processes.local_rank)


def _memory_need(
    config: ExperimentConfig, system: SpeechSystem, train_set: SpeechDataset, *, device: torch.device
) -> MemoryNeed | None:
    """Measure what utterances of three lengths need on a CPU; a graphics card says itself when it is full."""
    if device.type != "cpu":
        return None
    by_length = sorted(range(len(train_set)), key=train_set.durations.__getitem__)
    batches = [train_set.batch([by_length[place]]) for place in (len(by_length) // 4, len(by_length) // 2, -1)]

    def loss_of(place: int) -> Tensor:
        guided = config.losses.guides(0)
        return forward(system, batches[place], losses=config.losses, epoch=0, with_attention=guided)[1].total

    random_state = torch.get_rng_state()
    system.model.train()
    need = measure_need(system.model, [batch.features.shape[1] for batch in batches], loss_of)
    torch.set_rng_state(random_state)
    return need


def _decide_precision(
    config: ExperimentConfig, system: SpeechSystem, train_set: SpeechDataset, *, device: torch.device
) -> Arithmetic:
    @cache
    def batch() -> Batch:  # none is made where nothing is to be decided
        return train_set.batch(plan_of(config, train_set.augmented_durations(0), epoch=0)[0]).to(device)

    def loss_of(arithmetic: Arithmetic) -> Tensor:
        guided = config.losses.guides(0)
        found = forward(system, batch(), losses=config.losses, epoch=0, arithmetic=arithmetic, with_attention=guided)
        return found[1].total

    return choose_arithmetic(config.training.precision, device=device, loss_of=loss_of, model=system.model.train())


def _introduce(run: Run, checkpoint: Path | None) -> None:
    """Say what the run works with, and what of the data it leaves out."""
    material, line = run.material, run.report.line
    weights = sum(parameter.numel() for parameter in run.system.model.parameters())
    trained = sum(parameter.numel() for parameter in run.parameters)
    line(
        f"{len(material.train)} utterances ({sum(run.train_set.durations) / 3600:.2f} hours) to train on, "
        f"{len(material.dev)} to evaluate on"
        + (f" (of {len(material.dev) + material.dev_left_out})" if material.dev_left_out else "")
        + (f", {len(material.test)} to judge the result by" if material.test else "")
        + (f", {len(material.general)} of other speech" if material.general else "")
        + f"; {weights / 1e6:.2f} million weights"
        + (f", {trained / 1e6:.2f} of them trained" if trained < weights else "")
        + f"; {run.state.precision} on {run.device}"
        + (f" in {run.processes.count} processes" if run.processes.count > 1 else "")
        + f", {torch.get_num_threads()} threads"
    )
    if material.unsure:
        line(f"{material.unsure} recognised texts are less sure than data.min_confidence and are left out")
    if run.system.model.ctc_head is not None and (short := left_out_by_ctc(run.system, run.train_set)):
        line(f"{len(short)} utterances have more characters than encoder frames; CTC leaves them out: {listed(short)}")
    if checkpoint:
        line(f"going on from {checkpoint}: step {run.state.step}, epoch {run.state.epoch + 1}")
