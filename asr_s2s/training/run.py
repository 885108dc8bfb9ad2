"""One run: what it holds while it works, and what the processes that share it tell each other."""

import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from asr_s2s.data import epoch_plan, padding_share
from asr_s2s.data.batch import Batch
from asr_s2s.data.dataset import SpeechDataset
from asr_s2s.data.loading import load_batches
from asr_s2s.errors import listed
from asr_s2s.model_store.directory import SpeechSystem, save_model
from asr_s2s.models import TeacherOutput, loss_counts
from asr_s2s.training.checkpoints import (
    TrainingState,
    checkpoint_folder,
    optimizer_tensors,
    random_states,
    random_tensors,
    rotate_checkpoints,
    save_checkpoint,
)
from asr_s2s.training.clock import Clock
from asr_s2s.training.experiment import ExperimentConfig
from asr_s2s.training.history import History, Record
from asr_s2s.training.left_out import Lost
from asr_s2s.training.material import Material
from asr_s2s.training.memory import MemoryNeed, free_memory
from asr_s2s.training.processes import Processes
from asr_s2s.training.progress import ProgressReport
from asr_s2s.training.teacher import Teacher
from asr_s2s.training.tensorboard import EventFiles

TrainingBatch = tuple[Batch, TeacherOutput | None]  # and what the model shall imitate of it

CARD = "A checkpoint of a training run; see the model card of the run's folder.\n"


@dataclass(frozen=True)
class Share:
    """What one process trains on in a step."""

    batches: list[TrainingBatch]
    taken: int  # batches of the epoch's plan that the step takes, in all processes
    began: float  # the time at which they were asked for
    waited: float  # seconds until they were there
    counts: dict[str, float]  # what their losses are divided by, their frames, and how many could not be read
    unreadable: dict[str, str]  # why those could not, by id


@dataclass
class Pace:
    """How fast an epoch goes, in all processes, and how much of it is spent on nothing."""

    padding: float = 0.0  # share of what is computed
    frames: float = 0.0
    waited: float = 0.0  # seconds for data
    seconds: float = 0.0

    def add(self, *, frames: float, waited: float, since: float) -> None:
        """Count a step that began at a time, waiting, teacher and all."""
        self.frames, self.waited = self.frames + frames, self.waited + waited
        self.seconds += time.monotonic() - since

    @property
    def frames_per_second(self) -> float:
        """Feature frames that were trained on in a second."""
        return self.frames / max(self.seconds, 1e-9)

    @property
    def idle(self) -> float:
        """The share of the time that the model waited for data."""
        return self.waited / max(self.seconds, 1e-9)


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
    scaler: torch.amp.GradScaler  # enlarges losses in float16, where small gradients would vanish
    state: TrainingState
    history: History
    events: EventFiles | None
    report: ProgressReport
    origin: dict[str, Any]
    device: torch.device
    processes: Processes
    clock: Clock
    need: MemoryNeed | None  # on a CPU
    num_steps: int  # of the whole run, as far as the first epoch's plan tells
    pace: Pace = field(default_factory=Pace)
    saved_at: float = 0.0  # seconds of the run
    saved_step: int | None = None  # in this sitting
    random: dict[str, Tensor] = field(default_factory=random_states)  # after the last complete step
    lost: Lost = field(default_factory=Lost)

    @property
    def parameters(self) -> list[nn.Parameter]:
        """The weights that are trained."""
        return [weight for group in self.optimizer.param_groups for weight in group["params"]]

    @property
    def loss_names(self) -> list[str]:
        """The losses that the run computes now."""
        model, losses = self.system.model, self.config.losses
        there = {
            "cross_entropy": True,
            "ctc": model.ctc_head is not None,
            "length": model.length_head is not None,
            "guided_attention": losses.guides(self.state.epoch),
            "states": self.teacher is not None,
            "divergence": self.teacher is not None,
        }
        return [name for name in losses.weights if there[name]]

    @property
    def progress(self) -> float:
        """The share of the run that is done: of its steps or, if that is more, of its time."""
        return min(1.0, max(self.state.step / self.num_steps, self.clock.share))

    @property
    def over(self) -> bool:
        """Whether training.minutes are over, or training.patience."""
        patience = self.config.training.patience
        return self.clock.over or (patience is not None and self.state.without_gain >= patience)

    def is_evaluated_after(self, epochs: int) -> bool:
        """Return whether the model is evaluated when so many epochs are done."""
        training = self.config.training
        return epochs % training.evaluate_every == 0 or epochs == training.epochs or self.over

    @property
    def checkpoint_is_due(self) -> bool:
        """Whether it is time to save, by steps or by the clock that all processes agree on."""
        steps, minutes = self.config.training.checkpoint_steps, self.config.training.checkpoint_minutes
        by_steps = steps is not None and self.state.step % steps == 0
        return by_steps or (minutes is not None and self.clock.now - self.saved_at >= 60 * minutes)

    @property
    def scaler_may_shrink(self) -> bool:
        """Whether gradients that are not finite may come from enlarging alone."""
        return bool(self.scaler.is_enabled()) and self.scaler.get_scale() > 1

    @property
    def hours(self) -> float:
        """The hours of what is trained on, without what cannot be read."""
        pairs = zip(self.material.train, self.train_set.durations, strict=True)
        return sum(seconds for one, seconds in pairs if one.id not in self.material.unreadable) / 3600

    def record(self, record: Record) -> None:
        """Add a record to the history, and to the event files where there are any."""
        self.history.add(record)
        if self.events:
            self.events.add(record)

    def load(self) -> Generator[Batch, None, None]:
        """Return this process's batches from here to the end of the run, made ahead while the model computes."""
        return load_batches(self.train_set, self._wanted(), augmented=True, workers=self.config.data.workers)

    def _wanted(self) -> Iterator[tuple[int, list[int]]]:
        """Name the batches of `load` by epoch and utterances: what comes next is made while an epoch ends."""
        done = self.state.batches
        for epoch in range(self.state.epoch, self.config.training.epochs):
            plan = plan_of(self.config, self.train_set.augmented_durations(epoch), epoch=epoch)
            for step in self._divided(plan[done:]):
                yield from ((epoch, batch) for batch in self._share(step))
            done = 0

    def steps(self, batches: Iterator[Batch]) -> Iterator[Share]:
        """Return this process's share of each step that is left of the epoch.

        batches: what `load` gives
        """
        durations = self.train_set.augmented_durations(self.state.epoch)
        plan = plan_of(self.config, durations, epoch=self.state.epoch)
        self.pace, self.lost = Pace(padding_share(durations, plan)), Lost()
        for step in self._divided(plan[self.state.batches :]):
            began = time.monotonic()
            given = [next(batches) for _ in self._share(step)]  # in the last step there may be none
            waited = time.monotonic() - began
            unreadable = {name: why for batch in given for name, why in batch.unreadable.items()}
            share = [self.with_teacher(piece) for batch in given if len(batch) for piece in self._fitting(batch)]
            counts = self._counts(share) | {"unreadable": float(len(unreadable))}
            yield Share(share, taken=len(step), began=began, waited=waited, counts=counts, unreadable=unreadable)

    def _divided(self, plan: list[list[int]]) -> list[list[list[int]]]:
        """Divide batches into steps."""
        size = self.config.training.accumulate * self.processes.count
        return [plan[first : first + size] for first in range(0, len(plan), size)]

    def _share(self, step: list[list[int]]) -> list[list[int]]:
        """Pick this process's batches of a step."""
        return step[self.processes.rank :: self.processes.count]

    def with_teacher(self, batch: Batch) -> TrainingBatch:
        """Put what the teacher makes of a batch beside it, where there is one."""
        if self.teacher is None:
            return batch, None
        return batch, self.teacher.output(batch, epoch=self.state.epoch, arithmetic=self.state.precision)

    def _counts(self, batches: list[TrainingBatch]) -> dict[str, float]:
        counts = dict.fromkeys([*self.config.losses.weights, "frames"], 0.0)
        for batch, teacher_output in batches:
            encoder_lengths = batch.feature_lengths
            if batch.encoded is None:
                encoder_lengths = self.system.model.encoder.output_lengths(encoder_lengths)
            own = loss_counts(batch.tokens, batch.token_lengths, encoder_lengths, teacher=teacher_output)
            own["frames"] = float(batch.feature_lengths.sum())
            counts = {name: counts[name] + own[name] for name in counts}
        return counts

    def agree(self, values: Mapping[str, float]) -> dict[str, float]:
        """Add up numbers over all processes, which go by the clock of the first."""
        totals = self.processes.sums({**values, "seconds": self.clock.seconds if self.processes.first else 0.0})
        self.clock.now = totals["seconds"]
        return totals

    def _fitting(self, batch: Batch) -> list[Batch]:
        """Halve a batch that needs more than the memory that is free, before the system kills for it."""
        if self.need is None:
            return [batch]
        frames = batch.features.shape[1]
        needed = self.need.of(frames=frames, tokens=batch.tokens.shape[1], utterances=len(batch))
        if needed <= (free := free_memory()):
            return [batch]
        if len(batch) == 1:
            self.report.warn(
                f"step {self.state.step + 1}: '{batch.ids[0]}' of {frames} frames needs about {needed / 1e6:.0f} MB, "
                f"{free / 1e6:.0f} MB are free; it is left out of this step. End other programs, or cut it into pieces."
            )
            return []
        self.report.warn(
            f"step {self.state.step + 1}: {len(batch)} utterances of up to {frames} frames need about "
            f"{needed / 1e6:.0f} MB, {free / 1e6:.0f} MB are free; halved: {listed(list(batch.ids))}. {self._advice}"
        )
        return [piece for half in batch.halves() for piece in self._fitting(half)]

    def halved(self, batch: Batch) -> list[TrainingBatch]:
        """Return the halves of a batch that there was not enough memory for; nothing of a single utterance."""
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        frames = batch.features.shape[1]
        where = f"step {self.state.step + 1}: out of memory with {len(batch)} utterances of up to {frames} frames"
        if len(batch) == 1:
            self.report.warn(f"{where}: '{batch.ids[0]}' is left out of this step. Cut it into pieces.")
            return []
        self.report.warn(f"{where}; halved: {listed(list(batch.ids))}. {self._advice}")
        return [self.with_teacher(half) for half in batch.halves()]

    @property
    def _advice(self) -> str:
        return f"That costs time: lower data.batch_seconds ({self.config.data.batch_seconds:g}); --find-batch measures."

    def save_alone(self) -> None:
        """Save what was learned since the last checkpoint, where no other process has to take part."""
        if self.processes.count == 1 and self.saved_step != self.state.step:
            self.save()

    def stepped(self, share: Share) -> None:
        """Note that a step is complete: what is saved from now on goes on behind it."""
        self.state.step += 1
        self.state.batches += share.taken
        self.random = random_states()

    def save(self) -> None:
        """Write a checkpoint of the last complete step, and only then let go of those that are not needed any more."""
        random = self.processes.gathered(self.random)
        self.saved_at, self.saved_step = self.clock.now, self.state.step
        if not self.processes.first:
            return
        self.history.sync()
        self.state.seconds, self.state.records = self.clock.seconds, len(self.history.records)
        self.state.scaler = self.scaler.state_dict()
        save_checkpoint(
            checkpoint_folder(self.folder, self.state.step),
            write_model=lambda folder: save_model(folder, self.system, card=CARD),
            tensors=optimizer_tensors(self.system.model, self.optimizer) | random_tensors(random),
            state=asdict(self.state),
            origin=self.origin,
        )
        rotate_checkpoints(self.folder, last=self.config.training.keep, best=self.state.best)


def plan_of(config: ExperimentConfig, durations: Sequence[float], *, epoch: int) -> list[list[int]]:
    """Plan the batches of an epoch by its durations: a pure function of data, seed and epoch."""
    return epoch_plan(
        durations,
        batch_seconds=config.data.batch_seconds,
        quadratic_seconds=config.data.quadratic_seconds,
        seed=config.training.seed,
        epoch=epoch,
        shortest_first=epoch < config.data.shortest_first_epochs,
    )
