"""Whether a text depends on what is transcribed beside it: batches of 1, 4 and 16 recordings, in three orders.

usage: neighbours.py MANIFEST... [--model en] [--beam 5] [--precision float32] [--sizes 1,4,16] [--output FILE]

Each batch is a call of its own. Every text is compared with that of the first run; differences are printed with the gap
between the confidences: a close call has a small one. Each size meets another order in each turn, so that a run that is
broken off after a turn has seen every size and every order.
"""

import argparse
import json
import random
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from record import record

from asr_s2s.manifest import Utterance, read_manifest
from asr_s2s.recognizer import Recognizer, load
from asr_s2s.transcripts import Transcript

Said = dict[str, tuple[str, float]]  # text and confidence by id


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifests", type=Path, nargs="+")
    parser.add_argument("--model", default="en")
    parser.add_argument("--beam", type=int, default=5)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--sizes", default="1,4,16")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    recognizer = load(arguments.model, beam=arguments.beam, precision=arguments.precision)
    clips = [clip for manifest in arguments.manifests for clip in read_manifest(manifest)]
    first: Said = {}
    rows = []
    ordered = orders(clips)
    sizes = list(map(int, arguments.sizes.split(",")))
    for turn in range(len(ordered)):
        for place, size in enumerate(sizes):
            name = list(ordered)[(turn + place) % len(ordered)]
            started = time.perf_counter()
            said = transcribed(recognizer, ordered[name], size=size)
            first = first or said
            others = [key for key in said if said[key][0] != first[key][0]]
            for key in others:
                print(f"  {key}: {first[key][0]!r} became {said[key][0]!r}, gap {first[key][1] - said[key][1]:+.5f}")
            rows.append({"batch": size, "order": name, "clips": len(said), "same": len(said) - len(others)})
            rows[-1]["seconds"] = round(time.perf_counter() - started, 1)
            print(json.dumps(rows[-1]), flush=True)
    runs = rows[1:]
    share = sum(row["same"] for row in runs) / max(1, sum(row["clips"] for row in runs))
    print(f"{arguments.precision}, beam {arguments.beam}: {share:.3%} of the texts are the same")
    if arguments.output:
        report = {"model": arguments.model, "precision": arguments.precision, "beam": arguments.beam}
        report |= {"capability": torch.backends.cpu.get_cpu_capability(), "same": share, "rows": rows}
        record(arguments.output, report)


def orders(clips: Sequence[Utterance]) -> dict[str, list[Utterance]]:
    by_length = sorted(clips, key=lambda clip: clip.duration or 0.0)
    return {
        "manifest": list(clips),
        "longest first": by_length[::-1],
        "shuffled": random.Random(1).sample(clips, len(clips)),  # noqa: S311 - an order, no secret
    }


def transcribed(recognizer: Recognizer, clips: Sequence[Utterance], *, size: int) -> Said:
    said: Said = {}
    for start in range(0, len(clips), size):
        batch = clips[start : start + size]
        for clip, (_, result) in zip(batch, recognizer.transcribe_many(batch), strict=True):
            segments = result.segments if isinstance(result, Transcript) else ()
            sure = min((segment.confidence or 0.0 for segment in segments), default=0.0)
            said[clip.id] = (result.text if isinstance(result, Transcript) else str(result), sure)
    return said


if __name__ == "__main__":
    main()
