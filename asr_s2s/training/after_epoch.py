"""What happens after an epoch: evaluate, record, draw, show samples, raise an alarm, keep the best."""

from dataclasses import asdict
from shutil import copyfile

from asr_s2s.training.alarms import MANUAL_HEADING, MANUAL_PAGE, find_alarms
from asr_s2s.training.checkpoints import Candidate
from asr_s2s.training.evaluate import Evaluation, evaluate
from asr_s2s.training.page import attention_picture, write_page
from asr_s2s.training.plots import draw_attention, draw_error_rates, draw_losses
from asr_s2s.training.progress import described
from asr_s2s.training.run import Run


def after_epoch(run: Run) -> None:
    """Evaluate the model as it is and leave a record, pictures and a checkpoint; the first process does it for all."""
    state = run.state
    if run.processes.first:
        evaluation = _evaluated(run)
        _record(run, evaluation)
        _report(run, evaluation)
        _warn(run)
        if run.config.training.plots:
            _draw(run, evaluation)
        write_page(run.folder)
    state.best, state.without_gain = run.processes.of_first((state.best, state.without_gain))
    run.save()


def _evaluated(run: Run) -> Evaluation:
    """Evaluate, and rank the model among the best so far."""
    training, state = run.config.training, run.state
    evaluation = evaluate(
        run.system,
        run.dev_set,
        batch_seconds=run.config.data.batch_seconds,
        losses=run.config.losses,
        search=training.dev_search,
        device=run.device,
    )
    candidate = Candidate(
        wer=evaluation.wer, loss=evaluation.losses["cross_entropy"], cer=evaluation.cer, step=state.step
    )
    better = not state.best or candidate.wer < state.best[0].wer
    state.without_gain = 0 if better else state.without_gain + 1
    state.best = sorted([*state.best, candidate], key=lambda one: (one.wer, one.loss))[: training.average]
    return evaluation


def _record(run: Run, evaluation: Evaluation) -> None:
    run.record(
        {
            "event": "evaluation",
            "step": run.state.step,
            "epoch": run.state.epoch,
            **{f"dev_{name}_loss": value for name, value in evaluation.losses.items()},
            "accuracy": evaluation.accuracy,
            "wer": evaluation.wer,
            "cer": evaluation.cer,
            "loops": evaluation.loops,
            **(asdict(evaluation.alignment) if evaluation.alignment else {}),
            **({} if evaluation.ctc_written is None else {"ctc_written": evaluation.ctc_written}),
            "samples": [
                {"id": one.id, "reference": one.reference, "hypothesis": one.hypothesis}
                for one in evaluation.spread(run.config.training.samples)
            ],
            "idle": round(run.pace.idle, 4),
            "padding": round(run.pace.padding, 4),
            "seconds": round(run.clock.seconds, 2),
        }
    )


def _report(run: Run, evaluation: Evaluation) -> None:
    """Say where the run is, and show what it reads."""
    training, state, report = run.config.training, run.state, run.report
    alignment = evaluation.alignment
    attention = (
        f"; attention diagonal {alignment.diagonality:.2f}, sharp {alignment.sharpness:.2f}, "
        f"coverage {alignment.coverage:.2f}"
        if alignment
        else ""
    )
    report.evaluated(wer=evaluation.wer)
    losses = described({f"{name}_loss": value for name, value in evaluation.losses.items()})
    report.line(
        f"epoch {state.epoch} ({run.clock.seconds / 60:.1f} min): dev {losses}; next token right "
        f"{evaluation.accuracy:.1%}; WER {evaluation.wer:.1%}, CER {evaluation.cer:.1%}{attention}"
    )
    for reading in evaluation.spread(training.samples):
        report.line(
            f"  {reading.id}\n    reference:  {reading.reference}\n    hypothesis: {reading.hypothesis}", style="dim"
        )


def _warn(run: Run) -> None:
    """Report what is wrong, once for each cause."""
    config, given = run.config, run.state.alarms_given
    alarms = find_alarms(
        run.history.records,
        vocabulary_size=run.system.vocabulary.size,
        clip=config.training.clip,
        settled=config.data.shortest_first_epochs,
        patient=config.training.alarm_after,
    )
    for alarm in alarms:
        if alarm.cause not in given:
            given.append(alarm.cause)
            run.record({"event": "alarm", "step": run.state.step, "epoch": run.state.epoch, **asdict(alarm)})
            about = f"(Manual: {MANUAL_PAGE}, {MANUAL_HEADING})"
            run.report.line(f"{alarm.message} {about}", style="bold yellow")


def _draw(run: Run, evaluation: Evaluation) -> None:
    """Draw curves and the attention of the utterance with the longest text: in a short one there is little to see."""
    evaluations = run.history.of("evaluation")
    draw_losses(run.folder / "loss.png", train=run.history.of("train"), evaluations=evaluations)
    draw_error_rates(run.folder / "error_rate.png", evaluations=evaluations)
    longest = evaluation.utterances[-1]
    picture = attention_picture(run.folder, run.state.step)
    draw_attention(
        picture,
        attention=longest.attention,
        features=longest.features,
        labels=longest.tokens,
        frame_shift=run.system.front_end.frame_shift_seconds,
        title=f"{longest.id}, epoch {run.state.epoch}: {longest.reference}",
    )
    copyfile(picture, run.folder / "attention.png")
