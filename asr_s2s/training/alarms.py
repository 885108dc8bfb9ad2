"""What keeps a run from succeeding, in plain words, with what to try.

Every alarm is a function of the history's records alone: a run that was resumed raises the same ones.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from asr_s2s.training.history import Record

Cause = Literal["attention", "free-running", "CTC", "development loss", "learning rate", "gradients"]

MANUAL_PAGE, MANUAL_HEADING = "When it goes wrong", "Training: attention does not form"

# Measured on GRID and digits. LSTM with location attention: sharpness 0.00 to 0.03 and diagonality -0.3 to 0.2 in the
# first two epochs, 0.2 to 0.4 and 0.6 to 0.8 once it reads (CER below 5 %); short words are recognised at a glance.
# Transformer, the mean of its heads, which share the work: 0.03 and 0.2 at first, 0.11 and 0.3 once it reads.
SHARP_ENOUGH = 0.1
MOVING_ENOUGH = 0.25
READS_WELL = 0.3  # free-running character error rate below which nothing is wrong, whatever the pictures look like
FORCED_WELL = 0.7  # accuracy of the next token given the true ones
SILENT_CTC = 0.05  # tokens that the CTC head writes, as a share of the true ones
RISEN = 1.1  # times what a loss was
STRETCHES = 3  # evaluations, or what was trained between them: fewer may be chance
EXPLODED = 20.0  # times the usual norm of the gradient; sound runs of these recipes reach 13
EXPLODED_CLIPS = 50.0  # and times the norm that it is clipped to


@dataclass(frozen=True)
class Alarm:
    """One cause for concern, with what it means and what to try."""

    cause: Cause
    message: str


@dataclass(frozen=True)
class Past:
    """The records of a run up to an evaluation.

    evaluations: the last one is now
    stretches: for each, the records of the steps before it and after the one before
    """

    evaluations: list[Record]
    stretches: list[list[Record]]

    @property
    def now(self) -> Record:
        """The evaluation that has just been made."""
        return self.evaluations[-1]

    @property
    def state(self) -> str:
        """How well the model reads on its own."""
        return f"after {self.now['epoch']} epochs the free-running character error rate is {self.now['cer']:.0%}"


def find_alarms(
    records: Sequence[Record], *, vocabulary_size: int, clip: float, settled: int, patient: int
) -> list[Alarm]:
    """Say what is wrong at the last of the records, an evaluation.

    clip: the norm that gradients are clipped to
    settled: epochs in which the material itself changes (the shortest first), so that losses do not compare
    patient: epochs before attention and CTC have to have formed
    """
    past = _past(records, settled=settled)
    found = [
        _rising_loss(past),
        _rate_too_high(past, vocabulary_size=vocabulary_size),
        _exploding(past, clip=clip),
    ]
    if past.now["epoch"] >= patient:
        found += [_attention(past) or _free_running(past), _silent_ctc(past)]  # blind, it cannot but guess
    return [alarm for alarm in found if alarm]


def _past(records: Sequence[Record], *, settled: int) -> Past:
    evaluations: list[Record] = []
    stretches: list[list[Record]] = [[]]
    for record in records:
        if record["event"] == "evaluation":
            evaluations.append(record)
            stretches.append([])
        elif record["event"] == "train" and record["epoch"] >= settled:
            stretches[-1].append(record)
    return Past(evaluations, stretches[:-1])


def _attention(past: Past) -> Alarm | None:
    """Return whether the decoder looks at the sound, where it should by now."""
    now = past.now
    if now["cer"] < READS_WELL or "sharpness" not in now:
        return None
    if now["sharpness"] < SHARP_ENOUGH:
        return Alarm("attention", f"The attention is not sharp: {past.state}, and {_NOT_SHARP.format(**now)}")
    if now["diagonality"] < MOVING_ENOUGH:
        return Alarm("attention", f"The attention is not moving: {past.state}, and {_NOT_MOVING.format(**now)}")
    return None


def _free_running(past: Past) -> Alarm | None:
    """Return whether the model reads much worse on its own than with the true text before each token."""
    now = past.now
    if now["cer"] < READS_WELL or now["accuracy"] < FORCED_WELL:
        return None
    given = f"although {now['accuracy']:.0%} of the next tokens are right when the true ones before them are given"
    return Alarm("free-running", f"The model does not read on its own: {past.state}, {given}. {_FREE_RUNNING}")


def _silent_ctc(past: Past) -> Alarm | None:
    """Return whether the CTC head has learned nothing but blanks."""
    written = past.now.get("ctc_written")
    if written is None or written >= SILENT_CTC:
        return None
    return Alarm(
        "CTC",
        f"The CTC head is silent: after {past.now['epoch']} epochs it writes {written:.1%} as many tokens as were "
        "said, and blanks otherwise. Give it more epochs if ctc_loss is falling; otherwise raise losses.ctc, halve "
        "training.learning_rate, or let model.encoder.stem keep more frames: CTC needs one for every token.",
    )


def _rising_loss(past: Past) -> Alarm | None:
    """Return whether the model learns the training set by heart: a higher loss and no better text for a while."""
    losses = [record["dev_cross_entropy_loss"] for record in past.evaluations]
    if None in losses:
        return None
    best = losses.index(min(losses))
    since = past.evaluations[best + 1 :]
    if len(since) < STRETCHES or losses[-1] < RISEN * losses[best]:
        return None
    if min(record["wer"] for record in since) < past.evaluations[best]["wer"]:
        return None
    return Alarm(
        "development loss",
        f"The development loss rises: {losses[best]:.3f} after {past.evaluations[best]['epoch']} epochs, "
        f"{losses[-1]:.3f} now, and the word error rate is no better than then. The model learns the training set by "
        "heart: let training.patience end the run, use more data, data.augment or dropout, or a smaller model.",
    )


def _rate_too_high(past: Past, *, vocabulary_size: int) -> Alarm | None:
    """Return whether the training loss rises from stretch to stretch, or all is worse than to guess any token alike."""
    stretches = [stretch for stretch in past.stretches if stretch][-STRETCHES:]
    losses = [_median([record["cross_entropy_loss"] for record in stretch]) for stretch in stretches]
    rises = len(losses) == STRETCHES and all(before < later for before, later in pairwise(losses))
    loss, guessed = _height(past.now["dev_cross_entropy_loss"]), math.log(vocabulary_size)
    if loss >= RISEN * guessed:
        signs = f"the development loss is {loss:.3f}, and {guessed:.3f} for a model that guesses"
    elif rises and losses[-1] >= RISEN * losses[0]:
        signs = f"the training loss rises, from evaluation to evaluation {', '.join(f'{loss:.3f}' for loss in losses)}"
    else:
        return None
    return Alarm(
        "learning rate",
        f"The learning rate is too high: {signs}. Start again with half the training.learning_rate, or with a longer "
        "training.warmup.",
    )


def _exploding(past: Past, *, clip: float) -> Alarm | None:
    """Return whether a gradient came that is far from all others: clipped, but a sign of what may come."""
    usual = _median([record["gradient_norm"] for stretch in past.stretches for record in stretch])
    heights = {record["step"]: _height(record["gradient_norm"]) for record in past.stretches[-1]}
    step = max(heights, key=lambda step: heights[step], default=0)
    if not heights or heights[step] < max(EXPLODED * usual, EXPLODED_CLIPS * clip):
        return None
    return Alarm(
        "gradients",
        f"The gradients explode: their norm was {heights[step]:.3g} at step {step} and is {usual:.3g} usually (clipped "
        f"to {clip:g}). Listen to what `asr-s2s check` finds in the training set, and if it is sound, lower "
        "training.learning_rate or training.clip.",
    )


def _height(value: float | None) -> float:
    """Read a number from the history, where what was not finite is null."""
    return float("inf") if value is None else value


def _median(values: Sequence[float | None]) -> float:
    return statistics.median(map(_height, values)) if values else 0.0


_NOT_SHARP = (
    "every token still looks at nearly all frames alike (sharpness {sharpness:.2f} of 1). "
    "Give it more epochs if the loss is falling; otherwise try losses.guided_attention for the first epochs, "
    "losses.ctc=0.3 with model.ctc=true, data.shortest_first_epochs=2, or a longer training.warmup."
)
_NOT_MOVING = (
    "its position does not follow the tokens (diagonality {diagonality:.2f} of 1, coverage {coverage:.2f}): "
    "it stays or jumps about. Try model.attention.kind=location, losses.guided_attention for the first epochs, "
    "losses.ctc=0.3 with model.ctc=true, or half the training.learning_rate."
)
_FREE_RUNNING = (
    "The decoder leans on the text it has seen instead of the sound, or stops or loops. "
    "Try more dropout in model.decoder, losses.ctc=0.3 with model.ctc=true, more data, "
    "and look at the samples: loops and early ends also come from odd references."
)
