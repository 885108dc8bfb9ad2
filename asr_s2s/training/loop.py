"""The training loop, in one piece: load, forward, losses, backward, clip, step; then look, save, go on."""

import math
import time
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

import torch
from rich.console import Console
from torch import nn

from asr_s2s.data import Batch
from asr_s2s.errors import AsrError, listed
from asr_s2s.model_store import SpeechSystem
from asr_s2s.pictures import require_plotting
from asr_s2s.training.checkpoints import latest_checkpoint
from asr_s2s.training.evaluate import add_weighted, forward
from asr_s2s.training.experiment import ExperimentConfig
from asr_s2s.training.look import look
from asr_s2s.training.plots import WITHOUT_PICTURES
from asr_s2s.training.progress import Interruption, Report, described
from asr_s2s.training.result import TrainingResult, finish
from asr_s2s.training.run import Run, start
from asr_s2s.training.schedule import learning_rate


def train(
    config: ExperimentConfig,
    *,
    output: Path,
    resume: bool = False,
    initial: SpeechSystem | None = None,
    threads: int | None = None,
    console: Console | None = None,
    command: str = "asr-s2s train",
) -> TrainingResult:
    """Train one model and leave it in the output folder, beside the log, the pictures and the last checkpoints.

    resume: go on from the last checkpoint in the output folder as if the run had never stopped
    initial: start from this system's weights, vocabulary and front end; the configuration's own are then not used
    threads: processor threads, instead of training.threads
    command: what the model card says made the model

    Raises AsrError (or a kind of it) for what the user can mend: data, configuration, a loss that is not finite.
    """
    if config.training.plots:
        require_plotting(otherwise=WITHOUT_PICTURES)
    usual_threads = torch.get_num_threads()
    torch.set_num_threads(threads or config.training.threads or usual_threads)
    try:
        with Report(console or Console(stderr=True)) as report:
            run = start(config, output=output, resume=resume, initial=initial, report=report)
            with Interruption() as interruption:  # only here is there work to save
                _train(run, interruption)
            return finish(run, command=command)
    finally:
        torch.set_num_threads(usual_threads)


def _train(run: Run, interruption: Interruption) -> None:
    """Train until the last epoch or the end of the time, whichever comes first."""
    training, losses, state, model = run.config.training, run.config.losses, run.state, run.system.model
    while state.epoch < training.epochs and not run.out_of_time:
        guided = losses.guides(state.epoch)
        model.train()
        loader = run.batches()
        while batches := list(islice(loader, training.accumulate)):
            began = time.monotonic()
            rate = learning_rate(
                state.step,
                run.progress,
                peak=training.learning_rate,
                warmup=training.warmup,
                decay=training.decay,
                floor=training.floor,
            )
            for group in run.optimizer.param_groups:
                group["lr"] = rate

            parts: dict[str, float] = {}
            num_tokens = sum(int(batch.token_lengths.sum()) + len(batch) for batch in batches)  # with end tokens
            for batch in batches:
                _, found, _, lengths = forward(
                    run.system,
                    batch,
                    losses=losses,
                    epoch=state.epoch,
                    bfloat16=state.bfloat16,
                    with_attention=guided,
                    teacher=run.teacher.output(batch, epoch=state.epoch, bfloat16=state.bfloat16)
                    if run.teacher
                    else None,
                )
                share = int(lengths.sum()) / num_tokens  # each token counts the same, whichever batch it is in
                torch.autograd.backward(found.total * share)
                add_weighted(parts, found.parts, weight=share)
            norm = float(nn.utils.clip_grad_norm_(model.parameters(), training.clip))
            _check_finite(run, batches, parts, norm=norm)
            run.optimizer.step()
            run.optimizer.zero_grad(set_to_none=True)

            state.step += 1
            state.batches += len(batches)
            _log(run, batches, parts, rate=rate, norm=norm, seconds=time.monotonic() - began)
            if interruption.signal or (training.checkpoint_steps and state.step % training.checkpoint_steps == 0):
                run.save()
            interruption.obey()
            if run.out_of_time:
                break
        else:
            state.epoch, state.batches = state.epoch + 1, 0
        if state.epoch % training.evaluate_every == 0 or state.epoch == training.epochs or run.out_of_time:
            look(run)
            interruption.obey()
    if not state.best:  # the time was over before the first evaluation
        look(run)


def _check_finite(run: Run, batches: Sequence[Batch], parts: Mapping[str, float], *, norm: float) -> None:
    """Stop before a broken gradient reaches the weights; the last checkpoint is as good as it was."""
    if math.isfinite(norm) and all(math.isfinite(value) for value in parts.values()):
        return
    utterances = [identity for batch in batches for identity in batch.ids]
    saved = latest_checkpoint(run.folder)
    advice = ", or use training.precision=float32" if run.state.bfloat16 else ""
    raise AsrError(
        f"step {run.state.step + 1}, epoch {run.state.epoch + 1}: not a finite number: {described(parts)}, "
        f"gradient norm {norm:.3g}. The step held {len(utterances)} utterances: {listed(utterances, limit=8)}. "
        f"Listen to them and check their texts; if they are sound, halve training.learning_rate or "
        f"lower training.clip{advice}. "
        + (f"Nothing broken was saved: {saved} can be resumed." if saved else "Nothing was saved yet.")
    )


def _log(
    run: Run, batches: Sequence[Batch], parts: Mapping[str, float], *, rate: float, norm: float, seconds: float
) -> None:
    """Move the bar; every so many steps add a record to the history."""
    state = run.state
    names = {f"{name}_loss": value for name, value in parts.items()}
    run.report.step(f"epoch {state.epoch + 1}, {described(names)}", progress=run.progress)
    if state.step % run.config.training.log_every == 0:
        frames = sum(int(batch.feature_lengths.sum()) for batch in batches)
        run.history.add(
            {
                "event": "train",
                "step": state.step,
                "epoch": state.epoch,
                **names,
                "learning_rate": rate,
                "gradient_norm": norm,
                "frames_per_second": round(frames / seconds),
                "seconds": round(run.seconds, 2),
            }
        )
