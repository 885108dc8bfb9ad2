"""What a language model does for a recogniser: error rates by the weight of its opinion.

usage: fusion.py MANIFEST... --model MODEL --language-model FOLDER [--weights 0,0.1,0.3,0.6] [--beam 5] [--output FILE]

The weight is chosen on training sets; an evaluation set is for the figures of the weight that was chosen, and of none.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from record import record

from asr_s2s.manifest import read_manifest
from asr_s2s.recognizer import DecodeOptions, Recognizer, load
from asr_s2s.scoring import character_errors, word_errors
from asr_s2s.text.normalizers import normalizer
from asr_s2s.transcripts import Transcript


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifests", type=Path, nargs="+")
    parser.add_argument("--model", required=True)
    parser.add_argument("--language-model", type=Path, required=True)
    parser.add_argument("--weights", default="0,0.1,0.3,0.6")
    parser.add_argument("--beam", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    rows = [
        measured(arguments, manifest, float(weight))
        for manifest in arguments.manifests
        for weight in arguments.weights.split(",")
    ]
    if arguments.output:
        record(arguments.output, rows)


def measured(arguments: argparse.Namespace, manifest: Path, weight: float) -> dict[str, Any]:
    options = DecodeOptions(
        beam=arguments.beam, repair=False, language_model=arguments.language_model if weight else None
    )
    recognizer = Recognizer(load(arguments.model).model.with_search(language_weight=weight), options)
    clips = read_manifest(manifest)
    normalise = normalizer("basic").apply
    texts = [
        normalise(result.text) if isinstance(result, Transcript) else ""
        for _, result in recognizer.transcribe_many(clips)
    ]
    references = [normalise(clip.text or "") for clip in clips]
    row = {
        "set": str(manifest),
        "weight": weight,
        "wer": round(word_errors(references, texts).percent, 2),
        "cer": round(character_errors(references, texts).percent, 2),
    }
    print(json.dumps(row), flush=True)
    return row


if __name__ == "__main__":
    main()
