"""Which settings of the search lose least, on development recordings of all lengths (lengths.py).

usage: search.py MANIFEST [--model en] [--output search.json] SETTING...

A SETTING is a list such as beam=5,length_normalization=1.0,patience=2.0. Whole recordings are searched once with each,
without the detector of speech and without a second search. Prints the word error rate after whisper-english, of all
and of recordings of up to 10, 20 and 30 seconds, and how many words were deleted in runs of four and more.
"""

import argparse
import itertools
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from asr_s2s.manifest import Utterance, read_manifest
from asr_s2s.recognizer import DecodeOptions, Recognizer, load
from asr_s2s.scoring import align
from asr_s2s.text.normalizers import normalizer
from asr_s2s.transcripts import Transcript

BOUNDS = (10.0, 20.0, 30.1)  # seconds
LOST_RUN = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("settings", nargs="+")
    parser.add_argument("--model", default="en")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    items = read_manifest(arguments.manifest)
    model = load(arguments.model).model
    rows = []
    for setting in arguments.settings:
        changes = {key: json.loads(value) for key, value in (each.split("=") for each in setting.split(","))}
        recognizer = Recognizer(model.with_search(**changes), DecodeOptions(find_speech=False, repair=False))
        began = time.perf_counter()
        texts = [
            result.text if isinstance(result, Transcript) else "" for _, result in recognizer.transcribe_many(items)
        ]
        rows.append({"setting": setting, "seconds": round(time.perf_counter() - began, 1)} | rates(items, texts))
        print(json.dumps(rows[-1]), flush=True)
    if arguments.output:
        arguments.output.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def rates(items: Sequence[Utterance], texts: Sequence[str]) -> dict[str, Any]:
    normalise = normalizer("whisper-english").apply
    counts = {bound: [0, 0] for bound in BOUNDS}  # words, errors
    lost = 0
    for item, text in zip(items, texts, strict=True):
        steps = align(normalise(item.text or "").split(), normalise(text).split())
        bound = next(each for each in BOUNDS if (item.duration or 0.0) <= each)
        counts[bound][0] += sum(step.reference is not None for step in steps)
        counts[bound][1] += sum(step.kind != "correct" for step in steps)
        runs = [
            list(group) for kind, group in itertools.groupby(steps, key=lambda step: step.kind) if kind == "deletion"
        ]
        lost += sum(len(run) for run in runs if len(run) >= LOST_RUN)
    words, errors = (sum(count[place] for count in counts.values()) for place in (0, 1))
    by_length = {
        f"up to {bound:.0f} s": round(100 * wrong / max(all_, 1), 2) for bound, (all_, wrong) in counts.items()
    }
    return {"wer": round(100 * errors / words, 2), **by_length, "lost": lost, "words": words}


if __name__ == "__main__":
    main()
