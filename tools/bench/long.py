"""An hour-long recording: time, memory and word error rate beside faster-whisper's batched pipeline, in one run.

usage: long.py DATA_DIR [--minutes 60] [--model en] [--threads 2] [--without-peer] [--growth 10,60,300] [--output FILE]

Clips of the evaluation sets of open speech, in a fixed random order with pauses of 0.3 to 3 seconds, are joined until
the recording is long enough. Each system is a process of its own; memory is its peak. --growth: our seconds for
recordings of so many minutes, made of the same clips again and again.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import soundfile
from joined import SETS, clips_of, join, ordered
from record import record

from asr_s2s.audio import SAMPLE_RATE
from asr_s2s.manifest import Utterance
from asr_s2s.scoring import word_errors
from asr_s2s.text.normalizers import normalizer

HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--model", default="en")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--without-peer", action="store_true")
    parser.add_argument("--growth", default="")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    clips = ordered([clip for name in SETS for clip in clips_of(arguments.data, name, "eval")], "mixed")
    threads = ["--threads", str(arguments.threads)]
    ours = [sys.executable, "-m", "asr_s2s", "transcribe", "--model", arguments.model, *threads]
    peer = [sys.executable, str(HERE / "peer.py"), "--batched", *threads]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for minutes in [arguments.minutes, *map(float, filter(None, arguments.growth.split(",")))]:
            recording = Path(folder) / f"{minutes:g}.wav"
            text = written(clips, minutes * 60, recording)
            is_first = not rows
            systems = [("ours", ours)] + ([("peer", peer)] if is_first and not arguments.without_peer else [])
            for name, command in systems:
                rows.append(measured(name, [*command, str(recording)], text, minutes, arguments.threads))
            recording.unlink()
    if arguments.output:
        record(arguments.output, rows)


def written(clips: Sequence[Utterance], seconds: float, target: Path) -> str:
    """Write the recording and give its text."""
    recording = next(join(itertools.cycle(clips), pauses=(0.3, 3.0), seconds=seconds))
    soundfile.write(target, recording.samples, SAMPLE_RATE, subtype="PCM_16")
    return recording.text


def measured(name: str, command: list[str], text: str, minutes: float, threads: int) -> dict[str, Any]:
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if status:
        raise SystemExit(f"{' '.join(command)}: exit status {status}")
    words = normalizer("whisper-english")
    errors = word_errors([words.apply(text)], [words.apply(said.removeprefix(f"{command[-1]}: "))])
    row = {
        "system": name,
        "minutes": minutes,
        "seconds": round(seconds, 1),
        "megabytes": round(usage.ru_maxrss / 1024),
        "wer": round(errors.percent, 2),
    }
    print(json.dumps(row), flush=True)
    return row


if __name__ == "__main__":
    main()
