"""Time how long the scorer takes to answer at all: wall clock from the shell, each run a process of its own.

usage: start.py [--runs 15]

Reports of 13 and of 130 utterances, and the command's help; the median counts, the fastest stands beside it.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
COMMANDS = {
    "score A B": ["tests/data/scoring/commonvoice.jsonl", "tests/data/scoring/commonvoice.jsonl"],
    "score A B C": [f"tests/data/scoring/systems/{name}.jsonl" for name in ("reference", "en-beam5", "tiny.en")],
    "score --help": ["--help"],
}


def seconds(arguments: list[str]) -> float:
    began = time.perf_counter()
    command = [sys.executable, "-m", "asr_s2s", "score", *arguments]
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    print("| command | median, s | fastest, s |")
    print("|---|---:|---:|")
    for name, arguments in COMMANDS.items():
        taken = [seconds(arguments) for _ in range(runs + 1)][1:]  # the first fills the caches of the disk
        print(f"| {name} | {median(taken):.2f} | {min(taken):.2f} |")


if __name__ == "__main__":
    main()
