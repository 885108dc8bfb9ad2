"""What a padded model loses and gains when few frames stand for its padding: word error rate, loops, seconds.

usage: merged_silence.py MODEL MANIFEST... [--clips 50] [--frames 0,12,24,48,96,192] [--tails 0.5,1.0] [--output FILE]

MODEL pads (an imported Whisper, say); no weight is changed. Clips are spread over each manifest; search is greedy, in
float32. 0 frames: the padding left out and nothing in its place. The seconds hold reading and decoding.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from record import record

from asr_s2s.manifest import Utterance, read_manifest
from asr_s2s.model_store.directory import SpeechSystem, load_model
from asr_s2s.model_store.merge import merged_system
from asr_s2s.recognizer import DecodeOptions, Recognizer
from asr_s2s.recognizer.in_torch import in_torch
from asr_s2s.scoring import word_errors
from asr_s2s.text.normalizers import normalizer
from asr_s2s.transcripts import Transcript


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("manifests", type=Path, nargs="+")
    parser.add_argument("--clips", type=int, default=50)
    parser.add_argument("--frames", default="0,12,24,48,96,192")
    parser.add_argument("--tails", default="0.5,1.0")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    sets = {manifest.parts[-3]: spread(read_manifest(manifest), arguments.clips) for manifest in arguments.manifests}
    padded = load_model(arguments.model)
    rows = [measured(padded, sets, frames=None, tail=0.0)]
    for frames in map(int, arguments.frames.split(",")):
        for tail in map(float, arguments.tails.split(",")):
            merged = without_silence(padded, tail) if frames == 0 else None
            merged = merged or merged_system(padded, frames=frames, tail_seconds=tail)
            rows.append(measured(merged, sets, frames=frames, tail=tail))
    if arguments.output:
        record(arguments.output, rows)


def spread(clips: Sequence[Utterance], count: int) -> list[Utterance]:
    return list(clips[:: max(1, len(clips) // count)][:count])


def without_silence(padded: SpeechSystem, tail: float) -> SpeechSystem:
    features = padded.config.input.model_copy(update={"pad_to_seconds": None, "tail_seconds": tail})
    return replace(padded, front_end=features.build(), config=padded.config.model_copy(update={"input": features}))


def measured(
    system: SpeechSystem, sets: dict[str, list[Utterance]], *, frames: int | None, tail: float
) -> dict[str, Any]:
    recognizer, words = (
        Recognizer(in_torch(system), DecodeOptions(beam=1, find_speech=False, repair=False)),
        normalizer("whisper-english"),
    )
    row: dict[str, Any] = {"frames": frames, "tail_seconds": tail, "wer": {}, "loops": 0, "seconds": 0.0}
    for name, clips in sets.items():
        began = time.monotonic()
        results = [result for _, result in recognizer.transcribe_many(clips)]
        row["seconds"] += time.monotonic() - began
        texts = [result.text if isinstance(result, Transcript) else "" for result in results]
        row["loops"] += sum(isinstance(result, Transcript) and "loop" in result.flags for result in results)
        errors = word_errors([words.apply(clip.text or "") for clip in clips], [words.apply(text) for text in texts])
        row["wer"][name] = round(errors.percent, 1)
    row["seconds"] = round(row["seconds"], 1)
    print(json.dumps(row), flush=True)
    return row


if __name__ == "__main__":
    main()
