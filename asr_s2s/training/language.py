"""Training a language model on texts: the same loop as for speech, on lines instead of recordings."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from rich.console import Console
from torch import nn

from asr_s2s.config import PartConfig, write_config
from asr_s2s.engine.export import add_graphs
from asr_s2s.errors import ConfigError
from asr_s2s.lock import held
from asr_s2s.model_store.language import (
    LanguageDirectoryConfig,
    LanguageSystem,
    load_language_model,
    save_language_model,
)
from asr_s2s.models import LanguageModelConfig
from asr_s2s.text.vocabulary import digest_of
from asr_s2s.training.checkpoints import (
    OPTIMIZER_FILE,
    checkpoint_folder,
    checkpoint_to_resume,
    clear_run,
    optimizer_tensors,
    random_states,
    random_tensors,
    read_document,
    restore_optimizer,
    resumable,
    rotate_checkpoints,
    save_checkpoint,
)
from asr_s2s.training.clock import Clock
from asr_s2s.training.history import History
from asr_s2s.training.optimizer import set_rate
from asr_s2s.training.origin import check_origin
from asr_s2s.training.perplexity import by_length, check_lines_fit, line_loss, total_nats
from asr_s2s.training.processes import Processes
from asr_s2s.training.progress import Interruption, ProgressReport
from asr_s2s.training.schedule import Decay, learning_rate
from asr_s2s.training.texts import TextConfig, held_apart, spelled, vocabulary_for, windows

WINDOW = 50  # batches among which lines of like length are put together
CHANGEABLE = {f"config.training.{name}" for name in ("epochs", "minutes", "threads", "graphs", "checkpoint_minutes")}


class LanguageTrainingConfig(PartConfig):
    """How long, and how fast."""

    epochs: PositiveInt = 10  # passes over the texts, at most
    minutes: PositiveFloat | None = None  # limit of time; the decay then follows the clock
    learning_rate: PositiveFloat = 2e-3  # the highest, after the warm-up
    warmup: NonNegativeInt = 100  # steps
    decay: Decay = "cosine"  # how the learning rate falls after the warm-up
    floor: float = Field(default=0.01, ge=0, le=1)  # share of the learning rate that is left at the end
    weight_decay: NonNegativeFloat = 0.0  # on matrices only
    clip: PositiveFloat = 1.0  # largest norm of the gradient
    seed: NonNegativeInt = 1  # of all random choices
    threads: PositiveInt | None = None  # of the processor; None: all
    graphs: bool = True  # write those of the model that comes out, for transcription without torch
    log_every: PositiveInt = 50  # steps
    checkpoint_minutes: PositiveFloat = 10  # also between evaluations


class LanguageExperimentConfig(PartConfig):
    """One YAML file of kind language_model."""

    kind: Literal["language_model"]
    data: TextConfig  # texts
    model: LanguageModelConfig  # the network
    training: LanguageTrainingConfig = LanguageTrainingConfig()  # the loop


@dataclass
class _State:
    """Where a run is."""

    step: int = 0
    epoch: int = 0
    batches: int = 0  # of the current epoch's plan that were trained on
    seconds: float = 0.0
    records: int = 0  # lines of the history
    best: float | None = None  # bits a character of the held-out lines


@dataclass(frozen=True)
class LanguageResult:
    """What came out: bits a character and perplexity a word of the held-out lines that could be measured.

    left_out: which could not, in words
    """

    bits: float
    perplexity: float
    lines: int
    left_out: str

    @property
    def summary(self) -> str:
        """Say it in a line."""
        without = f" (without {self.left_out})" if self.left_out else ""
        measured = f"{self.bits:.3f} bits a character, perplexity {self.perplexity:.1f} a word"
        return f"{measured} on {self.lines} held-out lines{without}."


def train_language_model(
    config: LanguageExperimentConfig,
    *,
    output: Path,
    resume: bool = False,
    overwrite: bool = False,
    threads: int | None = None,
    console: Console | None = None,
    command: str = "asr-s2s train",
) -> LanguageResult:
    """Train a language model; the one with the lowest loss on held-out lines stays in the output folder.

    overwrite: begin anew where the output folder holds a run or a model
    Raises ConfigError for a folder that holds a run already, CheckpointError if what is resumed was made otherwise.
    """
    if Processes.from_environment().count > 1:
        raise ConfigError("A language model is trained in one process. Start it without torchrun.")
    usual_threads = torch.get_num_threads()
    torch.set_num_threads(threads or config.training.threads or usual_threads)
    try:
        with held(output), ProgressReport(console or Console(stderr=True)) as report:
            checkpoint = checkpoint_to_resume(output, resume=resume, overwrite=overwrite)
            run = _Run(config, output, checkpoint=checkpoint, report=report, command=command)
            with resumable(output, save=run.save):
                with Interruption() as interruption:
                    run.train(interruption)
                best = load_language_model(output)
                if config.training.graphs and (notice := add_graphs(output, best)):
                    report.warn(notice)
                return run.evaluated(best)
    finally:
        torch.set_num_threads(usual_threads)


class _Run:
    """One run: texts, model, and where it stands."""

    def __init__(
        self,
        config: LanguageExperimentConfig,
        output: Path,
        *,
        checkpoint: Path | None,
        report: ProgressReport,
        command: str,
    ) -> None:
        self.config, self.output, self.report, self.command = config, output, report, command
        train, dev = held_apart(config.data, seed=config.training.seed, warn=report.warn)
        torch.manual_seed(config.training.seed)
        kind, vocabulary = vocabulary_for(config.data, train)
        directory = LanguageDirectoryConfig(kind="language_model", vocabulary=kind, model=config.model)
        self.system = LanguageSystem(output.name, directory, config.model.build(vocabulary.size), vocabulary)
        self.origin = {
            "config": config.model_dump(mode="json"),
            "lines": len(train),
            "held_out": len(dev),
            "data": digest_of(*train, "", *dev),
        }
        learned, self.held_out = (
            spelled(vocabulary, lines, max_tokens=config.data.max_tokens) for lines in (train, dev)
        )
        self.lines = learned.tokens
        if not self.lines or not self.held_out.tokens:
            raise ConfigError(
                f"data.train: {len(self.lines)} lines of {len(train)} to train on and {len(self.held_out.tokens)} of "
                f"{len(dev)} held out are too few. Left out are {learned.left_out or 'none'} of the first, and "
                f"{self.held_out.left_out or 'none'} of the others."
            )
        self.state = _State()
        if checkpoint:
            check_origin(
                checkpoint, self.origin, changeable=CHANGEABLE, difference=lambda: "the texts are not the same"
            )
            self.state = _State(**read_document(checkpoint)["state"])
            self.system = load_language_model(checkpoint)
        weights = self.system.model.parameters()
        self.optimizer = torch.optim.AdamW(weights, weight_decay=config.training.weight_decay)
        if checkpoint:
            restore_optimizer(checkpoint / OPTIMIZER_FILE, self.system.model, self.optimizer)
        self.history = History(output / "history.jsonl", records=self.state.records)
        if not checkpoint:
            clear_run(output)
        write_config(output / "experiment.yaml", config)
        self.clock = Clock(config.training.minutes, before=self.state.seconds)
        self.saved_at, self.saved_step = self.state.seconds, -1
        self.random = random_states()
        plan = self._plan(0)
        check_lines_fit(self.system, self.lines, plan)
        held_out = self.held_out.tokens
        check_lines_fit(self.system, held_out, by_length(held_out, batch_tokens=config.data.batch_tokens))
        self.num_steps = config.training.epochs * len(plan)
        size = sum(map(torch.numel, self.system.model.parameters()))
        report.line(
            f"{len(self.lines)} lines of {len(train)} to train on, {len(self.held_out.tokens)} of {len(dev)} held out; "
            f"{vocabulary.size} tokens, {size / 1e6:.2f} million weights"
        )
        for what, lines in (("training", learned), ("held-out", self.held_out)):
            if lines.left_out:
                report.warn(f"Of the {what} lines these are left out: {lines.left_out}")

    def train(self, interruption: Interruption) -> None:
        training, state, model = self.config.training, self.state, self.system.model
        while state.epoch < training.epochs and not self.clock.over:
            model.train()
            for rows in self._plan(state.epoch)[state.batches :]:
                rate = learning_rate(
                    state.step, self._progress, peak=training.learning_rate, warmup=training.warmup,
                    decay=training.decay, floor=training.floor,
                )  # fmt: skip
                set_rate(self.optimizer, rate)
                loss = line_loss(self.system, [self.lines[row] for row in rows])
                self.optimizer.zero_grad(set_to_none=True)
                torch.autograd.backward(loss)
                norm = nn.utils.clip_grad_norm_(model.parameters(), training.clip)
                if not math.isfinite(loss.detach()) or not math.isfinite(norm):
                    raise ConfigError(f"step {state.step + 1}: the loss is not finite. Halve training.learning_rate.")
                self.optimizer.step()
                state.step, state.batches = state.step + 1, state.batches + 1
                self.random = random_states()
                self.clock.now = self.clock.seconds
                self._log(float(loss.detach()), rate)
                if interruption.signal or self.clock.now - self.saved_at >= 60 * training.checkpoint_minutes:
                    self.save()
                if interruption.signal:
                    interruption.obey()
                if self.clock.over:
                    break
            else:
                self.save()  # before the epoch counts as done: what ends the evaluation does not end it
                state.epoch, state.batches = state.epoch + 1, 0
            self._evaluate()
            self.save(evaluated=True)
            if interruption.signal:
                interruption.obey()

    def evaluated(self, system: LanguageSystem) -> LanguageResult:
        nats = total_nats(system, self.held_out.tokens, batch_tokens=self.config.data.batch_tokens)
        characters = sum(len(text) + 1 for text in self.held_out.texts)  # with the end of each line
        words = sum(len(text.split()) for text in self.held_out.texts)
        return LanguageResult(
            nats / characters / math.log(2),
            math.exp(nats / max(words, 1)),
            len(self.held_out.texts),
            self.held_out.left_out,
        )

    @property
    def _progress(self) -> float:
        return min(1.0, max(self.state.step / self.num_steps, self.clock.share))

    def _plan(self, epoch: int) -> list[list[int]]:
        """Plan an epoch's batches: a pure function of data, seed and epoch."""
        lengths = [len(line) + 1 for line in self.lines]
        random = np.random.default_rng((self.config.training.seed, epoch))
        order = random.permutation(len(lengths)).tolist()
        batches: list[list[int]] = []
        for window in windows(order, lengths, limit=WINDOW * self.config.data.batch_tokens):
            by_length = sorted(window, key=lambda row: lengths[row])
            batches += windows(by_length, lengths, limit=self.config.data.batch_tokens)
        return [batches[place] for place in random.permutation(len(batches))]

    def _log(self, loss: float, rate: float) -> None:
        self.report.step(f"epoch {self.state.epoch + 1}", progress=self._progress, losses={"loss": loss})
        if self.state.step % self.config.training.log_every == 0:
            record = {"event": "train", "step": self.state.step, "epoch": self.state.epoch, "loss": loss}
            self.history.add(record | {"learning_rate": rate, "seconds": round(self.clock.seconds, 2)})

    def _evaluate(self) -> None:
        """Measure the held-out lines; keep the model if it is the best so far."""
        self.system.model.eval()
        result = self.evaluated(self.system)
        record = {"event": "evaluation", "step": self.state.step, "epoch": self.state.epoch, **asdict(result)}
        self.history.add(record | {"seconds": round(self.clock.seconds, 2)})
        self.report.line(f"epoch {self.state.epoch}: {result.summary}")
        if self.state.best is None or result.bits < self.state.best:
            self.state.best = result.bits
            card = (
                f"# {self.system.name}\n\nA language model, for `asr-s2s transcribe --language-model`: "
                f"{result.summary}\n\n```\n{self.command}\n```\n"
            )
            save_language_model(self.output, self.system, card=card)

    def save(self, *, evaluated: bool = False) -> None:
        """Write a checkpoint of the last step, unless it is written already, and only then let go of the one before.

        evaluated: the state has changed since that step
        """
        if self.saved_step == self.state.step and not evaluated:
            return
        self.saved_step = self.state.step
        self.history.sync()
        self.saved_at = self.state.seconds = self.clock.seconds
        self.state.records = len(self.history.records)
        save_checkpoint(
            checkpoint_folder(self.output, self.state.step),
            write_model=lambda folder: save_language_model(folder, self.system, card="A checkpoint of a training.\n"),
            tensors=optimizer_tensors(self.system.model, self.optimizer) | random_tensors([self.random]),
            state=asdict(self.state),
            origin=self.origin,
        )
        rotate_checkpoints(self.output, last=1)
