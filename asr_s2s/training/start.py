"""How a run starts: anew, from another model, or from its last checkpoint."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from asr_s2s.config import write_config
from asr_s2s.data.batch import Batch
from asr_s2s.data.dataset import SpeechDataset
from asr_s2s.errors import ConfigError, counted, listed
from asr_s2s.model_store.directory import SpeechSystem, load_model
from asr_s2s.training.checkpoints import (
    OPTIMIZER_FILE,
    TrainingState,
    checkpoint_to_resume,
    clear_run,
    read_document,
    read_state,
    restore_optimizer,
)
from asr_s2s.training.clock import Clock
from asr_s2s.training.evaluate import forward
from asr_s2s.training.examine import examined
from asr_s2s.training.experiment import ExperimentConfig
from asr_s2s.training.history import History
from asr_s2s.training.left_out import LEFT_OUT_FILE, add_left_out, still_unreadable
from asr_s2s.training.material import (
    UNUSED,
    Material,
    adapted_system,
    data_sets,
    left_out_by_ctc,
    new_system,
    read_material,
    set_statistics,
)
from asr_s2s.training.memory import MemoryNeed, check_fits, measure_need
from asr_s2s.training.optimizer import make_optimizer
from asr_s2s.training.origin import check_origin
from asr_s2s.training.precision import Arithmetic, choose_arithmetic
from asr_s2s.training.processes import Processes
from asr_s2s.training.progress import ProgressReport
from asr_s2s.training.record import UTTERANCES_FILE, as_started, fingerprint, read_record, record_text, write_record
from asr_s2s.training.run import Run, plan_of
from asr_s2s.training.teacher import Teacher, check_teacher, check_window
from asr_s2s.training.tensorboard import EventFiles

# What may differ when a run is resumed: how long it goes on, and what leaves the weights as they are. The batches of a
# step must be as many (batches_per_step), whether processes or accumulation make them.
_LOOP = (
    "epochs",
    "minutes",
    "threads",
    "plots",
    "graphs",
    "tensorboard",
    "samples",
    "keep",
    "accumulate",
    "alarm_after",
    "patience",
)
CHANGEABLE = (
    *(f"training.{name}" for name in (*_LOOP, "checkpoint_steps", "checkpoint_minutes")),
    *("data.workers", "losses.distillation.cache"),
)


def start(
    config: ExperimentConfig,
    *,
    output: Path,
    resume: bool,
    initial: SpeechSystem | None,
    report: ProgressReport,
    processes: Processes | None = None,
    overwrite: bool = False,
) -> Run:
    """Read the data, build or load the model, and stand where the run starts or goes on.

    Raises ConfigError if the folder holds another run, CheckpointError if it holds a model or what is resumed was made
    otherwise, ManifestError for what cannot be read or does not fit into memory.
    """
    processes = processes or Processes()
    training = config.training
    checkpoint = processes.of_first(
        checkpoint_to_resume(output, resume=resume, overwrite=overwrite) if processes.first else None
    )
    material, origin = processes.of_first(_material(config, output, checkpoint, processes) if processes.first else None)
    torch.manual_seed(training.seed)
    device = _device(training.device, processes)
    system, train_set, dev_set, need = _parts(config, material, checkpoint or initial, processes, device=device)
    optimizer = make_optimizer(system.model.to(device), weight_decay=training.weight_decay, shares=training.rates)
    teacher = _teacher(config, system, train_set, device=device)
    if processes.rank:
        torch.manual_seed(training.seed + 1_000_003 * processes.rank)  # no two processes drop the same channels
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
        if not checkpoint:
            clear_run(output)
            write_record(output, material)
        write_config(output / "experiment.yaml", config)
        add_left_out(output, [*material.train, *material.sets[UNUSED]], material.unreadable)
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


def _material(
    config: ExperimentConfig, output: Path, checkpoint: Path | None, processes: Processes
) -> tuple[Material, dict[str, Any]]:
    """Read the recordings, and name what the weights depend on."""
    material = read_material(config)
    origin: dict[str, Any] = {
        "config": config.model_dump(mode="json"),
        "batches_per_step": config.training.accumulate * processes.count,
    }
    if checkpoint is None:
        material = examined(config, material)
        return material, origin | {"data": fingerprint(record_text(output, material))}
    record = read_record(output)
    material, changes = as_started(material, record)
    origin["data"] = changes or fingerprint((output / UTTERANCES_FILE).read_text(encoding="utf-8"))
    check_origin(
        checkpoint,
        origin,
        changeable=_changeable(config, checkpoint),
        difference=lambda: changes or f"{UTTERANCES_FILE} was edited",
    )
    material = examined(config, material)
    return replace(material, unreadable=still_unreadable(output, material.train) | material.unreadable), origin


def _parts(
    config: ExperimentConfig,
    material: Material,
    before: Path | SpeechSystem | None,
    processes: Processes,
    *,
    device: torch.device,
) -> tuple[SpeechSystem, SpeechDataset, SpeechDataset, MemoryNeed | None]:
    """Return the model, the training and the development set, and what the model needs of memory on a CPU.

    before: the checkpoint to go on from, or the system to start from
    Raises ManifestError for utterances that do not fit into memory; features are made only of what does.
    """
    if isinstance(before, Path):
        system = load_model(before)
    else:
        system = adapted_system(config, before) if before else new_system(config, material)
    if config.training.dropout is not None:
        for part in system.model.modules():
            if isinstance(part, nn.Dropout):
                part.p = config.training.dropout
    train_set, dev_set = data_sets(config, material, system)
    need = _memory_need(config, system, train_set, device=device)
    if need:
        check_fits(need, train_set, unreadable=material.unreadable)
        check_fits(need, dev_set)
    if not isinstance(before, Path) and not (before and system.front_end is before.front_end):
        if processes.first:  # reads all of the audio
            set_statistics(system, train_set)
        system.front_end.load_state_dict(processes.of_first(system.front_end.state_dict()))
    return system, train_set, dev_set, need


def _changeable(config: ExperimentConfig, checkpoint: Path) -> set[str]:
    """Name what may differ from a checkpoint's configuration: CHANGEABLE, and where features are kept, if they are."""
    before = read_document(checkpoint)["origin"]["config"]["data"]["cache"]
    kept = {"data.cache"} if before and config.data.cache else set()
    return {f"config.{name}" for name in (*CHANGEABLE, *kept)}


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
    """Measure what utterances need on a CPU by their lengths; a graphics card says itself when it is full."""
    if device.type != "cpu":
        return None
    room = system.model.decoder.max_tokens

    def loss_of(frames: int, tokens: int) -> Tensor:
        batch, guided = train_set.made_up(frames=frames, tokens=tokens), config.losses.guides(0)
        return forward(system, batch, losses=config.losses, epoch=0, with_attention=guided)[1].total

    random_state = torch.get_rng_state()
    system.model.train()
    need = measure_need(
        system.model, loss_of, max_tokens=None if room is None else room - len(system.vocabulary.start_tokens)
    )
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
        f"{len(material.train) - len(material.unreadable)} utterances ({run.hours:.2f} hours) to train on, "
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
    if material.unreadable:
        many, why = counted(len(material.unreadable), "recording"), list(material.unreadable.values())
        line(f"Left out of training: {many} that cannot be read: {listed(why)}", style="bold yellow")
        line(f"They are listed in {run.folder / LEFT_OUT_FILE}.")
    if material.too_long:
        line(f"Left out of training: {counted(material.too_long, 'utterance')} longer than data.max_seconds")
    if material.unsure:
        line(f"{material.unsure} recognised texts are less sure than data.min_confidence and are left out")
    if run.system.model.ctc_head is not None and (short := left_out_by_ctc(run.system, run.train_set)):
        line(f"{len(short)} utterances have more characters than encoder frames; CTC leaves them out: {listed(short)}")
    if checkpoint:
        line(f"going on from {checkpoint}: step {run.state.step}, epoch {run.state.epoch + 1}")
