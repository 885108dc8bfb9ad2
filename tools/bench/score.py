"""Time the scorer against jiwer, sclite and meeteval: one thread, no normalising, each in a process of its own.

usage: score.py [--utterances 100000 1000000] [--wer 5] [--runs 1] [--only asr-s2s jiwer sclite ...]
       [--output score.json]

The texts are drawn: 3 to 25 words by Zipf's law from a vocabulary of 20,000. Of the errors six in ten are substitutions
(each word by one of five), two deletions and two insertions. asr-s2s counts words and characters, the others words
unless it is said. Seconds are of the processor, the start of Python included; memory is the largest the process held.
"""

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path

from record import record

VOCABULARY = 20_000
SCLITE = "/usr/lib/sctk/bin/sclite"


def write_texts(folder: Path, count: int, wer: float) -> tuple[Path, Path]:
    """Write references and hypotheses as trn."""
    generator = random.Random(count)  # noqa: S311 - texts, not secrets
    words = ["".join(generator.choices("abcdefghijklmnopqrstuvwxyz", k=2 + at % 9)) for at in range(VOCABULARY)]
    weights = list(accumulate(1 / (rank + 1) for rank in range(VOCABULARY)))
    paths = folder / f"ref-{count}.trn", folder / f"hyp-{count}.trn"
    with paths[0].open("w") as references, paths[1].open("w") as hypotheses:
        for number in range(count):
            said = generator.choices(words, cum_weights=weights, k=generator.randint(3, 25))
            heard = [word for each in said for word in misheard(each, words, wer, generator)]
            references.write(f"{' '.join(said)} (s-{number:07d})\n")
            hypotheses.write(f"{' '.join(heard)} (s-{number:07d})\n")
    return paths


def misheard(word: str, words: list[str], wer: float, generator: random.Random) -> list[str]:
    chance = generator.random() / wer
    if chance < 0.6:
        return [words[(len(word) * 997 + ord(word[0]) * 31 + generator.randrange(5)) % VOCABULARY]]
    if chance < 0.8:
        return []
    return [word, words[generator.randrange(50)]] if chance < 1 else [word]


def asr_s2s(reference: Path, hypothesis: Path) -> list[str]:
    return [sys.executable, "-m", "asr_s2s", "score", str(reference), str(hypothesis), "--normalizer", "none"]


def jiwer(reference: Path, hypothesis: Path) -> list[str]:
    code = (
        "import sys, jiwer; read = lambda path: [line.rsplit(' (', 1)[0] for line in open(path)]; "
        "print(jiwer.process_words(read(sys.argv[1]), read(sys.argv[2])).wer)"
    )
    return [sys.executable, "-c", code, str(reference), str(hypothesis)]


def jiwer_characters(reference: Path, hypothesis: Path) -> list[str]:
    code = (
        "import sys, jiwer; read = lambda path: [line.rsplit(' (', 1)[0] for line in open(path)]; "
        "texts = read(sys.argv[1]), read(sys.argv[2]); "
        "print(jiwer.process_words(*texts).wer, jiwer.process_characters(*texts).cer)"
    )
    return [sys.executable, "-c", code, str(reference), str(hypothesis)]


def sclite(reference: Path, hypothesis: Path) -> list[str]:
    return [SCLITE, "-r", str(reference), "trn", "-h", str(hypothesis), "trn", "-i", "spu_id", "-o", "pra", "stdout"]


def meeteval(reference: Path, hypothesis: Path) -> list[str]:
    code = (
        "import sys, meeteval; read = lambda path: [line.rsplit(' (', 1)[0] for line in open(path)]; "
        "rate = meeteval.wer.siso_word_error_rate; "
        "print(sum(rate(*pair) for pair in zip(read(sys.argv[1]), read(sys.argv[2]))))"
    )
    return [sys.executable, "-c", code, str(reference), str(hypothesis)]


TOOLS: dict[str, Callable[[Path, Path], list[str]]] = {
    "asr-s2s": asr_s2s,
    "jiwer": jiwer,
    "jiwer, characters too": jiwer_characters,
    "sclite": sclite,
    "meeteval": meeteval,
}


def measure(command: list[str]) -> tuple[float, float]:
    """Run a command to its end; give its seconds of the processor and the most MB it held."""
    child = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(
            f"{' '.join(command)} ended with {status}: {child.stderr.read().decode() if child.stderr else ''}"
        )
    return used(usage)


def used(usage: resource.struct_rusage) -> tuple[float, float]:
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--utterances", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--wer", type=float, default=5.0, help="percent")
    parser.add_argument("--runs", type=int, default=1, help="the fastest counts")
    parser.add_argument("--only", nargs="+", choices=TOOLS, default=list(TOOLS))
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    rows = []
    print("| utterances | tool | seconds | against asr-s2s | MB |")
    print("|---:|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for count in arguments.utterances:
            paths = write_texts(Path(folder), count, arguments.wer / 100)
            own = None
            for tool in arguments.only:
                seconds, memory = min(measure(TOOLS[tool](*paths)) for _ in range(arguments.runs))
                own = own or seconds
                rows.append({"utterances": count, "tool": tool, "seconds": seconds, "megabytes": memory})
                print(f"| {count:,} | {tool} | {seconds:.1f} | {seconds / own:.1f} | {memory:.0f} |", flush=True)
    if arguments.output:
        record(arguments.output, rows)


if __name__ == "__main__":
    main()
