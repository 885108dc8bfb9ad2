"""The training loop, in one piece: load, forward, losses, backward, clip, step; then evaluate, save, go on."""

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, nullcontext
from copy import deepcopy
from pathlib import Path

import torch
from rich.console import Console
from torch import nn

from asr_s2s.data.batch import Batch
from asr_s2s.errors import AsrError
from asr_s2s.lock import held
from asr_s2s.model_store.directory import SpeechSystem
from asr_s2s.pictures import require_plotting
from asr_s2s.training.after_epoch import after_epoch
from asr_s2s.training.checkpoints import beginning, resumable
from asr_s2s.training.comparison import Recognise
from asr_s2s.training.evaluate import forward
from asr_s2s.training.experiment import ExperimentConfig
from asr_s2s.training.finite import check_finite
from asr_s2s.training.memory import is_out_of_memory
from asr_s2s.training.optimizer import set_rate
from asr_s2s.training.plots import WITHOUT_PICTURES
from asr_s2s.training.processes import Processes
from asr_s2s.training.progress import Interruption, ProgressReport
from asr_s2s.training.result import TrainingResult, finish
from asr_s2s.training.run import Run, Share, TrainingBatch
from asr_s2s.training.schedule import learning_rate
from asr_s2s.training.start import start
from asr_s2s.training.unreadable import leave_out


def train(
    config: ExperimentConfig,
    *,
    output: Path,
    resume: bool = False,
    overwrite: bool = False,
    initial: SpeechSystem | None = None,
    threads: int | None = None,
    console: Console | None = None,
    command: str = "asr-s2s train",
    recognise: Recognise | None = None,
) -> TrainingResult:
    """Train one model and leave it in the output folder, beside the log, the pictures and the last checkpoints.

    resume: go on from the last checkpoint in the output folder as if the run had never stopped
    overwrite: begin anew where the output folder holds a run or a model
    initial: start from this system's weights, vocabulary and front end; the configuration's own are then not used
    threads: processor threads, instead of training.threads
    command: what the model card says made the model
    recognise: what a user of a model gets of utterances, to judge the result by what is held out; None: nobody asks

    Raises AsrError (or a kind of it) for what the user can mend: data, configuration, a loss that is not finite.
    """
    if config.training.plots:
        require_plotting(otherwise=WITHOUT_PICTURES)
    original = deepcopy(initial)  # to compare with: training changes the weights in place
    usual_threads = torch.get_num_threads()
    torch.set_num_threads(threads or config.training.threads or usual_threads)
    try:
        processes = Processes.from_environment()
        with (
            processes,
            held(output) if processes.first else nullcontext(),
            ProgressReport(console or Console(stderr=True), process=processes.rank) as report,
        ):
            with beginning(output):
                run = start(
                    config,
                    output=output,
                    resume=resume,
                    overwrite=overwrite,
                    initial=initial,
                    report=report,
                    processes=processes,
                )
            with resumable(output, save=run.save_alone):
                with Interruption() as interruption, closing(run.load()) as batches:
                    _train(run, batches, interruption)
                result = (
                    finish(run, command=command, initial=original, recognise=recognise) if processes.first else None
                )
                return processes.of_first(result)
    finally:
        torch.set_num_threads(usual_threads)


def _train(run: Run, batches: Iterator[Batch], interruption: Interruption) -> None:
    """Train until the last epoch, the end of the time or of the patience, whichever comes first."""
    training, state, model = run.config.training, run.state, run.system.model
    while state.epoch < training.epochs and not run.over:
        model.train()
        for share in run.steps(batches):
            counts = run.processes.sums(share.counts)
            leave_out(run, share, counts)
            rate = learning_rate(
                state.step,
                run.progress,
                peak=training.learning_rate,
                warmup=training.warmup,
                decay=training.decay,
                floor=training.floor,
            )
            set_rate(run.optimizer, rate)

            parts = _gradients(run, share.batches, counts)
            run.processes.sum_gradients(run.parameters)
            totals = run.agree(parts | {"signal": float(interruption.signal or 0)})
            norm = _update(run, share, totals) if counts["frames"] else None  # None: nothing could be read
            run.optimizer.zero_grad(set_to_none=True)
            run.stepped(share)
            run.pace.add(frames=counts["frames"], waited=share.waited, since=share.began)
            if norm is not None:
                _log(run, _losses(run, totals), rate=rate, norm=norm)
            if totals["signal"] or run.checkpoint_is_due:
                run.save()
            if totals["signal"]:
                interruption.obey()
            if run.over:
                break
        else:
            if run.is_evaluated_after(state.epoch + 1):
                run.save()  # before the epoch counts as done: what ends the evaluation does not end it
            state.epoch, state.batches = state.epoch + 1, 0
        if run.is_evaluated_after(state.epoch):
            after_epoch(run)
            if run.agree({"signal": float(interruption.signal or 0)})["signal"]:
                interruption.obey()
    if not state.best:  # the time was over before the first evaluation
        after_epoch(run)


def _gradients(run: Run, batches: Sequence[TrainingBatch], counts: Mapping[str, float]) -> dict[str, float]:
    """Leave the gradients of some batches in the model and give their losses; what does not fit into memory is halved.

    counts: what the losses of all batches of the step, in all processes, are divided by
    """
    state, losses = run.state, run.config.losses
    waiting = list(batches)
    while True:
        parts = dict.fromkeys(losses.weights, 0.0)
        place = 0
        try:
            for place, (batch, teacher_output) in enumerate(waiting):  # noqa: B007 - the place is what failed
                found = forward(
                    run.system,
                    batch.to(run.device),
                    losses=losses,
                    epoch=state.epoch,
                    arithmetic=state.precision,
                    with_attention=losses.guides(state.epoch),
                    teacher=teacher_output,
                    counts=counts,
                )[1]
                torch.autograd.backward(run.scaler.scale(found.total))
                for name, value in found.parts.items():
                    parts[name] += float(value.detach())
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        else:
            return parts
        gc.collect()  # what was computed may hang on circles that the error's traceback left
        run.optimizer.zero_grad(set_to_none=True)  # of the batches before it too: all are computed again
        waiting[place : place + 1] = run.halved(waiting[place][0])
        if not waiting:
            raise AsrError(f"step {state.step + 1}: there is no memory for a single utterance. Use a smaller model.")


def _update(run: Run, share: Share, totals: Mapping[str, float]) -> float:
    """Update the weights, after the gradients were seen to be numbers; give the gradients' norm."""
    run.scaler.unscale_(run.optimizer)
    norm = float(nn.utils.clip_grad_norm_(run.parameters, run.config.training.clip))
    check_finite(run, share, _losses(run, totals), norm=norm)
    run.scaler.step(run.optimizer)  # in float16, where gradients may be enlarged too much, not every time
    run.scaler.update()
    return norm


def _losses(run: Run, totals: Mapping[str, float]) -> dict[str, float]:
    return {name: totals[name] for name in run.loss_names}


def _log(run: Run, losses: Mapping[str, float], *, rate: float, norm: float) -> None:
    """Move the bar; every so many steps add a record to the history."""
    state = run.state
    names = {f"{name}_loss": value for name, value in losses.items()}
    run.report.step(
        f"epoch {state.epoch + 1} of {run.config.training.epochs}",
        progress=run.progress,
        losses=losses,
        pace=f"{run.pace.frames_per_second:,.0f} frames a second, waiting for data {run.pace.idle:.1%} of the time",
    )
    if state.step % run.config.training.log_every == 0:
        run.record(
            {
                "event": "train",
                "step": state.step,
                "epoch": state.epoch,
                **names,
                "learning_rate": rate,
                "gradient_norm": norm,
                "frames_per_second": round(run.pace.frames_per_second),
                "seconds": round(run.clock.seconds, 2),
            }
        )
