"""Adapts the shipped model to telephone prompts and to learners of English, and judges each once on its held-out set.

usage: run.py DATA [--only prompts|learners] [--speakers 20] [key=value ...]

DATA holds prompts/, speechocean/ and commonvoice/, each with train/manifest.jsonl and, but for commonvoice,
eval/manifest.jsonl. Development sets are taken from the training sets, by speaker where there are several; other speech
is 80 clips of commonvoice/train. What was measured, and on what machine, stands in README.md.
"""

import argparse
import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from asr_s2s.manifest import Utterance, read_manifest, write_manifest

WORK = Path("runs") / "finetune"
NUM_OTHER = 80


def in_sentence_case(utterances: Sequence[Utterance]) -> list[Utterance]:
    """Write the texts as the model does: the corpus has capitals alone, and the model need not learn to shout."""
    return [replace(one, text=f"{(one.text or '').capitalize()}.") for one in utterances]


def of_speakers(utterances: Sequence[Utterance], count: int) -> list[Utterance]:
    """Keep the recordings of so many speakers, drawn by chance: what one lesson with a class would give."""
    speakers = sorted({one.speaker or "" for one in utterances})
    chosen = set(random.Random(1).sample(speakers, count))  # noqa: S311 - no secret
    return [one for one in utterances if one.speaker in chosen]


def material(data: Path, speakers: int) -> None:
    """Write the manifests of both experiments."""
    for name in ("train", "eval"):
        write_manifest(WORK / f"prompts-{name}.jsonl", read_manifest(data / "prompts" / name / "manifest.jsonl"))
        learners = in_sentence_case(read_manifest(data / "speechocean" / name / "manifest.jsonl"))
        chosen = of_speakers(learners, speakers) if name == "train" else learners
        write_manifest(WORK / f"learners-{name}.jsonl", chosen)
    other = read_manifest(data / "commonvoice" / "train" / "manifest.jsonl")
    write_manifest(WORK / "other.jsonl", random.Random(1).sample(other, NUM_OTHER))  # noqa: S311 - no secret


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("changes", nargs="*")
    parser.add_argument("--only", choices=("prompts", "learners"))
    parser.add_argument("--speakers", type=int, default=20)
    options = parser.parse_intermixed_args()
    material(options.data, options.speakers)
    for name in [options.only] if options.only else ["prompts", "learners"]:
        sets = [f"data.train={WORK}/{name}-train.jsonl", f"data.test={WORK}/{name}-eval.jsonl", "data.test_share=null"]
        command = [sys.executable, "-m", "asr_s2s", "train", "conf/finetune.yaml", "--from", "en", *sets]
        command += [f"data.general={WORK}/other.jsonl", *options.changes, "--output", f"{WORK}/{name}"]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
