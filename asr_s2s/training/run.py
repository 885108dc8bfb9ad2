"""One run: what it holds while it works, and how it starts, anew or from its last checkpoint."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from asr_s2s.config import write_config
from asr_s2s.data import Batch, SpeechDataset, epoch_plan, load_batches
from asr_s2s.errors import CheckpointError, ConfigError, listed
from asr_s2s.model_store import SpeechSystem, load_model
from asr_s2s.training.checkpoints import (
    TrainingState,
    latest_checkpoint,
    read_document,
    restore_state,
    rotate_checkpoints,
    save_checkpoint,
)
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
from asr_s2s.training.precision import prefers_bfloat16
from asr_s2s.training.progress import Report
from asr_s2s.training.teacher import Teacher, check_teacher, check_window

# What may differ when a run is resumed: how long it goes on, and what leaves the weights as they are.
CHANGEABLE = ("epochs", "minutes", "threads", "plots", "samples", "keep", "checkpoint_steps", "alarm_after")


@dataclass
class Run:
    """All that the loop works with; only `state` and what it owns change on the way."""

    config: ExperimentConfig
    folder: Path
    system: SpeechSystem
    material: Material
    train_set: SpeechDataset
    dev_set: SpeechDataset
    teacher: Teacher | None
    optimizer: torch.optim.Optimizer
    state: TrainingState
    history: History
    report: Report
    origin: dict[str, Any]
    device: torch.device
    num_steps: int  # of the whole run, as far as the first epoch's plan tells
    seconds_before: float  # spent in earlier sittings
    began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Time spent so far, in all sittings."""
        return self.seconds_before + time.monotonic() - self.began

    @property
    def progress(self) -> float:
        """The share of the run that is done: of its steps or, if that is more, of its time."""
        minutes = self.config.training.minutes
        elapsed = self.seconds / (60 * minutes) if minutes else 0.0
        return min(1.0, max(self.state.step / self.num_steps, elapsed))

    @property
    def out_of_time(self) -> bool:
        """Whether training.minutes are over."""
        minutes = self.config.training.minutes
        return minutes is not None and self.seconds >= 60 * minutes

    def batches(self) -> Iterator[Batch]:
        """Load what is left of the current epoch, made ahead while the model computes."""
        state = self.state
        plan = plan_of(self.config, self.train_set, epoch=state.epoch)[state.batches :]
        for batch in load_batches(self.train_set, plan, epoch=state.epoch, augmented=True):
            yield batch.to(self.device)

    def save(self) -> Path:
        """Write a checkpoint of this moment, and only then let go of those that are not needed any more."""
        self.state.seconds = self.seconds
        saved = save_checkpoint(
            self.folder, self.system, optimizer=self.optimizer, state=self.state, origin=self.origin
        )
        rotate_checkpoints(self.folder, last=self.config.training.keep, best=self.state.best)
        return saved


def start(config: ExperimentConfig, *, output: Path, resume: bool, initial: SpeechSystem | None, report: Report) -> Run:
    """Read the data, build or load the model, and stand where the run starts or goes on.

    Raises ConfigError if the folder holds another run, CheckpointError if what is resumed was made otherwise.
    """
    checkpoint = latest_checkpoint(output)
    if checkpoint and not resume:
        raise ConfigError(f"{output} holds a run already. Add --resume to go on with it, or name another --output.")
    material = read_material(config)
    origin = {"config": config.model_dump(mode="json"), "data": material.fingerprint}
    if checkpoint:
        check_origin(checkpoint, origin)
    torch.manual_seed(config.training.seed)
    if checkpoint:
        system = load_model(checkpoint)
    else:
        system = adapted_system(config, initial) if initial else new_system(config, material)
    train_set, dev_set = data_sets(config, material, system)
    if not checkpoint and not (initial and system.front_end is initial.front_end):
        set_statistics(system, train_set)
    device = _device(config.training.device)
    optimizer = _optimizer(system.model.to(device), weight_decay=config.training.weight_decay)
    teacher = _teacher(config, system, train_set, device=device)
    if checkpoint:  # after all that draws random numbers: fresh weights do, before they are overwritten
        state = restore_state(checkpoint, system.model, optimizer)
    else:
        state = TrainingState(bfloat16=_decide_precision(config, system, train_set, device=device))
    write_config(output / "experiment.yaml", config)
    batches = len(plan_of(config, train_set, epoch=0))
    run = Run(
        config=config,
        folder=output,
        system=system,
        material=material,
        train_set=train_set,
        dev_set=dev_set,
        teacher=teacher,
        optimizer=optimizer,
        state=state,
        history=History(output / "history.jsonl", step=state.step),
        report=report,
        origin=origin,
        device=device,
        num_steps=config.training.epochs * -(-batches // config.training.accumulate),
        seconds_before=state.seconds,
    )
    _introduce(run, checkpoint)
    return run


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


def plan_of(config: ExperimentConfig, train_set: SpeechDataset, *, epoch: int) -> list[list[int]]:
    """Plan the batches of an epoch: a pure function of data, seed and epoch."""
    return epoch_plan(
        train_set.augmented_durations(epoch),
        batch_seconds=config.data.batch_seconds,
        seed=config.training.seed,
        epoch=epoch,
        shortest_first=epoch < config.data.shortest_first_epochs,
    )


def check_origin(checkpoint: Path, origin: dict[str, Any]) -> None:
    """Refuse to go on with another configuration or other data.

    Raises CheckpointError that lists what differs, with the checkpoint's value and the new one.
    """
    before = read_document(checkpoint)["origin"]
    old, new = _flat(before["config"]), _flat(origin["config"])
    ignored = {f"training.{name}" for name in CHANGEABLE}
    differing = [
        f"{key} was {old.get(key)!r} and is {new.get(key)!r}"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key) and key not in ignored
    ]
    if before["data"] != origin["data"]:
        differing.append("the utterances, their texts or durations are not the same")
    if differing:
        raise CheckpointError(
            f"{checkpoint}: this run was started differently: {listed(differing, limit=10)}. "
            "Use what it was started with (experiment.yaml), or another --output, with --from for its weights."
        )


def _flat(tree: Any, prefix: str = "") -> dict[str, Any]:
    """Name each leaf of a configuration by its dotted path."""
    if not isinstance(tree, dict):
        return {prefix: tree}
    items = (_flat(value, f"{prefix}.{key}" if prefix else key) for key, value in tree.items())
    return {path: value for part in items for path, value in part.items()}


def _optimizer(model: nn.Module, *, weight_decay: float) -> torch.optim.Optimizer:
    """AdamW; only matrices decay, because a bias or a norm's scale has no redundancy that decay could remove."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [parameter for parameter in parameters if parameter.dim() >= 2], "weight_decay": weight_decay},
        {"params": [parameter for parameter in parameters if parameter.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=True)


def _device(name: str) -> torch.device:
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise ConfigError("training.device: 'cuda' was asked for and none is there. Set it to auto or cpu.")
    return torch.device("cuda" if available and name != "cpu" else "cpu")


def _decide_precision(
    config: ExperimentConfig, system: SpeechSystem, train_set: SpeechDataset, *, device: torch.device
) -> bool:
    indices = plan_of(config, train_set, epoch=0)[0]

    def loss_of(bfloat16: bool) -> Tensor:
        batch = train_set.batch(indices).to(device)
        found = forward(system, batch, losses=config.losses, epoch=0, bfloat16=bfloat16, with_attention=False)[1]
        return found.total

    return prefers_bfloat16(config.training.precision, device=device, loss_of=loss_of, model=system.model.train())


def _introduce(run: Run, checkpoint: Path | None) -> None:
    """Say what the run works with, and what of the data it leaves out."""
    material, line = run.material, run.report.line
    weights = sum(parameter.numel() for parameter in run.system.model.parameters())
    line(
        f"{len(material.train)} utterances ({sum(run.train_set.durations) / 3600:.2f} hours) to train on, "
        f"{len(material.dev)} to evaluate on"
        + (f" (of {len(material.dev) + material.dev_left_out})" if material.dev_left_out else "")
        + f"; {weights / 1e6:.2f} million weights; {'bfloat16' if run.state.bfloat16 else 'float32'} on {run.device}, "
        f"{torch.get_num_threads()} threads"
    )
    if run.system.model.ctc_head is not None and (short := left_out_by_ctc(run.system, run.train_set)):
        line(f"{len(short)} utterances have more characters than encoder frames; CTC leaves them out: {listed(short)}")
    if checkpoint:
        line(f"going on from {checkpoint}: step {run.state.step}, epoch {run.state.epoch + 1}")
