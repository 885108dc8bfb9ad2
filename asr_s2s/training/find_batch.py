"""How large batches may be: what fits into memory for each length of utterances, and the two numbers that say so.

On a graphics card batches are tried until one does not fit; on a CPU, where trying would end the program, the need is
measured on single utterances (memory.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from rich.console import Console

from asr_s2s.data import cost_of
from asr_s2s.model_store.directory import SpeechSystem
from asr_s2s.training.evaluate import forward
from asr_s2s.training.experiment import ExperimentConfig
from asr_s2s.training.memory import free_memory, is_out_of_memory
from asr_s2s.training.progress import ProgressReport
from asr_s2s.training.run import Run, TrainingBatch
from asr_s2s.training.start import start

BUCKETS = 6  # lengths that are looked at, from short to the longest
MARGIN = 0.8  # of what was found: memory is in pieces after thousands of steps
MOST = 4096  # utterances in a batch
LENGTHS_TO_TELL = 3  # what grows evenly from what grows with the square


@dataclass(frozen=True)
class Bucket:
    """Utterances up to a length, and how many of them fit at once."""

    seconds: float
    utterances: int


def find_batch(config: ExperimentConfig, *, initial: SpeechSystem | None = None) -> list[Bucket]:
    """Find how many utterances fit into a batch, for several lengths of the training set; nothing is trained.

    Raises AsrError as training would.
    """
    with TemporaryDirectory() as folder:
        report = ProgressReport(Console(quiet=True))
        run = start(config, output=Path(folder), resume=False, initial=initial, report=report)
        durations = run.train_set.augmented_durations(0)
        by_length = sorted(range(len(durations)), key=durations.__getitem__)
        places = dict.fromkeys(by_length[(len(by_length) - 1) * part // BUCKETS] for part in range(1, BUCKETS + 1))
        return [Bucket(durations[place], max(1, int(MARGIN * _most(run, place)))) for place in places]


def advised(buckets: Sequence[Bucket]) -> tuple[float, float | None]:
    """Return data.batch_seconds and data.quadratic_seconds so that no bucket holds more than fits.

    A batch of n utterances of d seconds fits where n (d + d² / quadratic) <= batch.
    """
    if len(buckets) < LENGTHS_TO_TELL:
        return min(bucket.utterances * bucket.seconds for bucket in buckets), None
    seconds = np.array([bucket.seconds for bucket in buckets])
    counts = np.array([bucket.utterances for bucket in buckets], dtype=np.float64)
    shares = np.stack([counts * seconds, counts * seconds**2], axis=1)  # of the memory: they should make 1
    inverse, square = np.linalg.lstsq(shares, np.ones(len(counts)), rcond=None)[0]
    quadratic = float(inverse / square) if inverse > 0 and square > 0 else None
    return min(bucket.utterances * cost_of(bucket.seconds, quadratic) for bucket in buckets), quadratic


def _most(run: Run, place: int) -> int:
    """Find how many utterances like one fit."""
    if run.need is not None:
        frames = run.train_set.frames([run.train_set.augmented_durations(0)[place]])[0]
        tokens = run.train_set.most_tokens()[place]
        return min(MOST, run.need.utterances(frames=frames, tokens=tokens, memory=free_memory()))
    one, teacher_output = run.with_teacher(run.train_set.batch([place], augmented=True))
    example = one.to(run.device), teacher_output
    fits, too_many = 0, 1
    while too_many <= MOST and _fits(run, example, too_many):
        fits, too_many = too_many, 2 * too_many
    while too_many - fits > max(1, fits // 16):
        middle = (fits + too_many) // 2
        fits, too_many = (middle, too_many) if _fits(run, example, middle) else (fits, middle)
    return fits


def _fits(run: Run, example: TrainingBatch, count: int) -> bool:
    """Try so many utterances like the one of an example, which is made once: to make thousands takes minutes."""
    batch, teacher_output = example
    losses = run.config.losses
    try:
        found = forward(
            run.system,
            batch.repeated(count),
            losses=losses,
            epoch=0,
            arithmetic=run.state.precision,
            with_attention=losses.guides(0),
            teacher=teacher_output.repeated(count) if teacher_output else None,
        )[1]
        torch.autograd.backward(found.total)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return False
    finally:
        run.optimizer.zero_grad(set_to_none=True)
        torch.cuda.empty_cache()
    return True
