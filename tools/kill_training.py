"""Kills a training run with SIGKILL at random moments, resumes it, and compares what comes out with an unbroken run.

usage: kill_training.py [--kills 100] [--seed 0]

The model is tiny, its recordings are those of tests/data, and it saves itself after every step, so that many of the
kills fall into a save. Runs that are through before they are killed are compared and begun anew.
"""

import argparse
import json
import multiprocessing
import random
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from safetensors.numpy import load_file

from asr_s2s.training import train
from asr_s2s.training.checkpoints import latest_checkpoint
from asr_s2s.training.history import read_history

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "unit"))
from training_tiny import tiny_experiment

CLOCKS = ("seconds", "frames_per_second", "idle")
FORKS = multiprocessing.get_context("forkserver")  # a process that has imported torch and computed nothing yet


def run_once(folder: Path, output: Path) -> None:
    config = tiny_experiment(folder, checkpoint_steps=1, epochs=4, keep=1, average=1)
    train(config, output=output, resume=True, console=Console(quiet=True))


def seconds_of(folder: Path, output: Path, *, limit: float | None = None) -> float | None:
    """Run until the end, or kill at a moment; give the seconds until the end, None for a run that was killed."""
    process = FORKS.Process(target=run_once, args=(folder, output))
    began = time.monotonic()
    process.start()
    process.join(limit)
    if process.is_alive():
        process.kill()
        process.join()
        return None
    assert process.exitcode == 0, f"the run failed with status {process.exitcode}"
    return time.monotonic() - began


def outcome(output: Path) -> object:
    """Give all that must be equal to the bit: weights, optimizer, random states, position, alarms, history."""
    checkpoint = latest_checkpoint(output)
    assert checkpoint
    files = [output / "model.safetensors", *(checkpoint / f"{part}.safetensors" for part in ("model", "optimizer"))]
    tensors = [{name: value.tobytes() for name, value in load_file(file).items()} for file in files]
    state = json.loads((checkpoint / "training_state.json").read_text())["state"]
    records = [
        {key: value for key, value in one.items() if key not in CLOCKS}
        for one in read_history(output / "history.jsonl")
    ]
    return tensors, state | {"seconds": 0}, records


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    FORKS.set_forkserver_preload(["asr_s2s.training", "training_tiny", "torch._dynamo"])
    moments = random.Random(options.seed)  # noqa: S311 - no secret
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seconds_of(folder, folder / "warm")  # fills the cache of features
        usual = seconds_of(folder, folder / "whole")
        assert usual
        expected = outcome(folder / "whole")
        kills = runs = 0
        while kills < options.kills:
            output = folder / f"broken-{runs}"
            while kills < options.kills and not seconds_of(folder, output, limit=moments.uniform(0.02, usual)):
                kills += 1
            seconds_of(folder, output)  # to the end, and once more where it was through
            assert outcome(output) == expected, f"run {runs} differs from the unbroken one"
            runs += 1
    print(f"{kills} kills in {runs} runs of {usual:.1f} s: weights, state and history equal those of an unbroken run")


if __name__ == "__main__":
    main()
