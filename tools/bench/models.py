"""Measure each shipped model on the held-out sets that it is made for: errors, and seconds of one processor core.

usage: models.py DATA_DIR [--output docs/results/models.json]
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from record import record

from asr_s2s.manifest import read_manifest
from asr_s2s.model_store import model_folder
from asr_s2s.scoring import word_errors
from asr_s2s.text.normalizers import normalizer

SENTENCES = ("commonvoice", "speechocean", "ljspeech", "arctic", "prompts")
MODELS = {"en": SENTENCES, "multi": SENTENCES, "en-char": SENTENCES, "commands": ("grid", "digits")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    rows = [measured(model, [arguments.data / name for name in sets]) for model, sets in MODELS.items()]
    if arguments.output:
        record(arguments.output, rows)


def measured(model: str, sets: list[Path]) -> dict[str, Any]:
    """Transcribe the sets with the command on one core, and count errors and seconds."""
    words = normalizer("whisper-english").apply
    references, hypotheses, audio, began = [], [], 0.0, processor_seconds()
    for folder in sets:
        with tempfile.TemporaryDirectory() as scratch:
            recognised = Path(scratch) / "recognised.jsonl"
            command = ["transcribe", "--model", model, "--threads", 1, "--quiet", "--output", recognised]
            command += ["--manifest", folder / "eval" / "manifest.jsonl"]
            subprocess.run([sys.executable, "-m", "asr_s2s", *map(str, command)], check=True)
            clips = read_manifest(recognised)
        audio += sum(clip.duration or 0.0 for clip in clips)
        references += [words(clip.text or "") for clip in clips]
        hypotheses += [words(clip.pred_text or "") for clip in clips]
    seconds = processor_seconds() - began
    errors = word_errors(references, hypotheses)
    row = {
        "model": model,
        "sets": [folder.name for folder in sets],
        "megabytes": round(
            sum(path.stat().st_size for path in model_folder(model).iterdir() if path.is_file()) / 1e6, 1
        ),
        "words": errors.reference_length,
        "errors": errors.errors,
        "wer": round(errors.percent, 2),
        "audio_seconds": round(audio),
        "core_seconds": round(seconds, 1),
    }
    print(json.dumps(row), flush=True)
    return row


def processor_seconds() -> float:
    """Count what all finished child processes have taken."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
