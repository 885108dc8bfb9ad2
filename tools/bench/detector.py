"""What the detector of speech costs and saves: words lost, words invented, with it and without it.

usage: detector.py DATA_DIR [--sets commonvoice,...] [--model en] [--beam 5] [--threads 2] [--output detector.json]

DATA_DIR holds SET/eval/manifest.jsonl. A word is lost if the text without the detector has it right and the text with
the detector does not have it at all: in the alignment with the reference it is a deletion there.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from record import record

from asr_s2s.manifest import Utterance, read_manifest
from asr_s2s.recognizer import Recognizer, load
from asr_s2s.scoring import align
from asr_s2s.text.normalizers import normalizer
from asr_s2s.transcripts import Transcript

SETS = ("commonvoice", "speechocean", "ljspeech", "arctic", "prompts", "grid", "digits", "no_speech")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--model", default="en")
    parser.add_argument("--beam", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    without, with_it = (load(arguments.model, beam=arguments.beam, find_speech=finds) for finds in (False, True))
    rows = []
    for name in arguments.sets.split(","):
        clips = read_manifest(arguments.data / name / "eval" / "manifest.jsonl")
        rows.append({"set": name} | compared(clips, texts(without, clips), texts(with_it, clips)))
        print(json.dumps(rows[-1]), flush=True)
    spoken, lost = (sum(row[key] for row in rows) for key in ("words", "lost"))
    print(f"{lost} of {spoken} words lost: {lost / max(spoken, 1):.2%}")
    if arguments.output:
        report = {"model": arguments.model, "beam": arguments.beam, "lost": lost / max(spoken, 1), "rows": rows}
        record(arguments.output, report)


def texts(recognizer: Recognizer, clips: Sequence[Utterance]) -> list[str]:
    normalise = normalizer("whisper-english").apply
    results = recognizer.transcribe_many(clips)
    return [normalise(result.text) if isinstance(result, Transcript) else "" for _, result in results]


def compared(clips: Sequence[Utterance], without: Sequence[str], with_it: Sequence[str]) -> dict[str, Any]:
    normalise = normalizer("whisper-english").apply
    found = {"words": 0, "lost": 0, "gained": 0, "invented without": 0, "invented with": 0}
    for clip, one, other in zip(clips, without, with_it, strict=True):
        reference = normalise(clip.text or "").split()
        found["words"] += len(reference)
        if not reference:
            found["invented without"] += len(one.split())
            found["invented with"] += len(other.split())
            continue
        before, after = (
            [step.kind for step in align(reference, text.split()) if step.reference] for text in (one, other)
        )
        found["lost"] += sum(a == "correct" and b == "deletion" for a, b in zip(before, after, strict=True))
        found["gained"] += sum(a == "deletion" and b == "correct" for a, b in zip(before, after, strict=True))
    return found


if __name__ == "__main__":
    main()
