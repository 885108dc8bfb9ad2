"""What limits training on a graphics card: the model, the shapes that it has not seen yet, or what makes its batches.

usage: card.py MANIFEST [--from en-char] [--seconds 240 480] [--workers 4 14]

For batches of so many seconds it prints how many seconds of recordings are learned in a second
  - from batches that are there: when each shape is new, and again, with cuDNN's attention and without it
  - while batches are made: in threads, in processes (decision 0029), and without the model
"""

import argparse
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from rich.console import Console
from torch import nn
from torch.nn.attention import SDPBackend

from asr_s2s.config import check_config
from asr_s2s.data import epoch_plan
from asr_s2s.data.batch import Batch
from asr_s2s.data.loading import load_batches
from asr_s2s.model_store.directory import load_model
from asr_s2s.models import multihead
from asr_s2s.training import ExperimentConfig
from asr_s2s.training.evaluate import forward
from asr_s2s.training.progress import ProgressReport
from asr_s2s.training.run import Run
from asr_s2s.training.start import start

TIMES = 8  # through the recordings while batches are made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest")
    parser.add_argument("--from", dest="initial", default="en-char")
    parser.add_argument("--seconds", type=float, nargs="+", default=[240, 480])
    parser.add_argument("--workers", type=int, nargs="+", default=[4, 14])
    options = parser.parse_args()
    torch.set_num_threads(1)
    data = {"train": options.manifest, "allow_empty": True, "augment": {"specaugment": {}}}
    config = check_config(
        {"data": data, "training": {"precision": "bfloat16", "plots": False, "graphs": False}},
        ExperimentConfig,
        origin=options.manifest,
    )
    with TemporaryDirectory() as folder:
        report = ProgressReport(Console(quiet=True))
        run = start(config, output=Path(folder), resume=False, initial=load_model(options.initial), report=report)
        run.system.model.train()
        print(f"on {torch.cuda.get_device_name() if torch.cuda.is_available() else 'the processor'}")
        for seconds in options.seconds:
            of_size(run, seconds, options.workers)


def of_size(run: Run, seconds: float, workers: Iterable[int]) -> None:
    dataset, spoken = run.train_set, sum(run.train_set.durations)
    plan = epoch_plan(dataset.durations, batch_seconds=seconds, seed=1, epoch=0)
    batches = [dataset.batch(indices, augmented=True) for indices in plan]
    kernels = list(multihead.KERNELS)
    for name, allowed in (("without cuDNN", kernels), ("with cuDNN", [SDPBackend.CUDNN_ATTENTION, *kernels])):
        multihead.KERNELS[:] = allowed
        for what in ("first", "again", "again"):
            print(f"{seconds:g} s, {name}, {what}: {spoken / taken(run, batches):,.0f} times real time", flush=True)
    multihead.KERNELS[:] = kernels
    wanted = [(epoch, indices) for epoch in range(TIMES) for indices in plan]
    for count in workers:
        with ThreadPoolExecutor(count) as pool:
            threads = pool.map(lambda one: dataset.batch(one[1], epoch=one[0], augmented=True), wanted)
            told = [f"threads {TIMES * spoken / counted(threads):,.0f}"]
        told.append(
            f"processes {TIMES * spoken / counted(load_batches(dataset, wanted, augmented=True, workers=count)):,.0f}"
        )
        made = load_batches(dataset, wanted, augmented=True, workers=count)
        told.append(f"processes and model {TIMES * spoken / taken(run, made):,.0f}")
        print(f"{seconds:g} s, made by {count}: {', '.join(told)} times real time, their start included", flush=True)


def counted(batches: Iterable[Batch]) -> float:
    """Tell how long it takes until all are made."""
    began = time.perf_counter()
    for _ in batches:
        pass
    return time.perf_counter() - began


def taken(run: Run, batches: Iterable[Batch]) -> float:
    """Tell how long it takes to learn from all; the steps are so small that the weights stay what they are."""
    began = time.perf_counter()
    for batch in batches:
        found = forward(
            run.system,
            batch.to(run.device),
            losses=run.config.losses,
            epoch=0,
            arithmetic=run.state.precision,
            with_attention=False,
        )[1]
        torch.autograd.backward(found.total)
        nn.utils.clip_grad_norm_(run.parameters, 1e-6)
        run.optimizer.step()
        run.optimizer.zero_grad(set_to_none=True)
    if run.device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
