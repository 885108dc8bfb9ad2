"""An hour-long recording: time, memory and word error rate beside faster-whisper's batched pipeline, in one run.

usage: long.py DATA_DIR [--minutes 60] [--model en] [--threads 2] [--without-peer] [--growth 10,60,300] [--output FILE]

Clips of the evaluation sets of open speech, in a fixed random order with pauses of 0.3 to 3 seconds, are joined until
the recording is long enough. Each system is a process of its own; memory is its peak. --growth: our seconds for
recordings of so many minutes, made of the same clips again and again.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from asr_s2s.audio import SAMPLE_RATE, read_audio
from asr_s2s.manifest import Utterance, read_manifest
from asr_s2s.scoring import word_errors
from asr_s2s.text.normalizers import normalizer

SETS = ("commonvoice", "speechocean", "ljspeech", "arctic", "prompts")
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
    clips = [clip for name in SETS for clip in read_manifest(arguments.data / name / "eval" / "manifest.jsonl")]
    clips = [clips[place] for place in np.random.default_rng(0).permutation(len(clips))]
    threads = ["--threads", str(arguments.threads)]
    ours = [sys.executable, "-m", "asr_s2s", "transcribe", "--model", arguments.model, *threads]
    peer = [sys.executable, str(HERE / "peer.py"), "--batched", *threads]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for minutes in [arguments.minutes, *map(float, filter(None, arguments.growth.split(",")))]:
            recording = Path(folder) / f"{minutes:g}.wav"
            text = joined(clips, minutes * 60, recording)
            is_first = not rows
            systems = [("ours", ours)] + ([("peer", peer)] if is_first and not arguments.without_peer else [])
            for name, command in systems:
                rows.append(measured(name, [*command, str(recording)], text, minutes, arguments.threads))
            recording.unlink()
    if arguments.output:
        arguments.output.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def joined(clips: list[Utterance], seconds: float, target: Path) -> str:
    """Write the recording and give its text."""
    pauses = np.random.default_rng(1)
    texts, written, number = [], 0, 0
    with soundfile.SoundFile(target, "w", SAMPLE_RATE, 1, subtype="PCM_16") as file:
        while written < seconds * SAMPLE_RATE:
            clip = clips[number % len(clips)]
            samples = read_audio(clip.audio_path)
            silence = np.zeros(round(pauses.uniform(0.3, 3.0) * SAMPLE_RATE), np.float32)
            file.write(np.concatenate([samples, silence]))
            written, number = written + len(samples) + len(silence), number + 1
            texts.append(clip.text or "")
    return " ".join(texts)


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
