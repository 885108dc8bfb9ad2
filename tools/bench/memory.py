"""How much memory a batch takes in training beside what was measured on made-up utterances (training/memory.py).

usage: memory.py CONFIG MANIFEST [--from MODEL] [--seconds 60 120 240]

For batches of so many seconds it prints what the measured need foresees, what autograd keeps, and the peak that the
kernel saw (Linux: /proc/self/clear_refs).
"""

import argparse
import ctypes
import tempfile
from pathlib import Path

import torch
from rich.console import Console

from asr_s2s.config import read_config
from asr_s2s.model_store.directory import load_model
from asr_s2s.training import ExperimentConfig
from asr_s2s.training.evaluate import forward
from asr_s2s.training.memory import WORKING
from asr_s2s.training.progress import ProgressReport
from asr_s2s.training.run import plan_of
from asr_s2s.training.start import start


def peak_over(work: object) -> float:
    """Give the bytes that the process held at most while it worked, beside what it held before."""
    ctypes.CDLL(None).malloc_trim(0)  # what glibc keeps of earlier batches would hide what this one takes
    Path("/proc/self/clear_refs").write_text("5")
    before = status("VmRSS")
    work()
    return status("VmHWM") - before


def status(name: str) -> float:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return 1024.0 * int(line.split()[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("manifest")
    parser.add_argument("--from", dest="initial")
    parser.add_argument("--seconds", type=float, nargs="+", default=[60, 120, 240])
    options = parser.parse_args()
    torch.set_num_threads(1)
    changes = [f"data.train=[{options.manifest}]", "data.cache=null", "training.plots=false", "training.graphs=false"]
    print("seconds  utterances  longest  foreseen MB  kept MB  peak MB  peak / kept")
    for seconds in options.seconds:
        config = read_config(options.config, ExperimentConfig, [*changes, f"data.batch_seconds={seconds}"])
        initial = load_model(options.initial) if options.initial else None
        with tempfile.TemporaryDirectory() as folder:
            report = ProgressReport(Console(quiet=True))
            run = start(config, output=Path(folder), resume=False, initial=initial, report=report)
        run.system.model.train()
        plan = plan_of(config, run.train_set.augmented_durations(0), epoch=0)
        batches = [run.train_set.batch(plan[place]) for place in (0, len(plan) // 2)]

        def learn(batch: object, run: object = run, config: object = config) -> None:
            losses = config.losses
            found = forward(run.system, batch, losses=losses, epoch=0, with_attention=losses.guides(0))[1]
            torch.autograd.backward(found.total)

        learn(batches[0])  # the gradients' own memory
        frames, count = batches[1].features.shape[1], len(batches[1])
        foreseen = run.need.of(frames=frames, tokens=batches[1].tokens.shape[1], utterances=count)
        peak = peak_over(lambda batch=batches[1], learn=learn: learn(batch))
        kept = foreseen / WORKING
        print(
            f"{seconds:7.0f}  {count:10d}  {frames:7d}  {foreseen / 1e6:11.0f}  {kept / 1e6:7.0f}  {peak / 1e6:7.0f}  "
            f"{peak / kept:11.2f}"
        )


if __name__ == "__main__":
    main()
