"""Whether a text depends on what is transcribed beside it: calls of 1, 16 and all recordings, in three orders.

usage: neighbours.py MANIFEST... [--model en] [--beam 5] [--precision float32] [--runtimes onnx,torch]
       [--sizes 1,16,0] [--turns 3] [--output FILE]

Size 0 gives all recordings to one call. Every text is compared with that of the first run; differences are printed with
the gap between the confidences: a close call has a small one. Each size meets another order in each turn, so that a run
that is broken off after a turn has seen every size and every order. Further runtimes transcribe all recordings once.
"""

import argparse
import json
import random
import time
from collections.abc import Sequence
from pathlib import Path

from record import record

from asr_s2s.manifest import Utterance, read_manifest
from asr_s2s.recognizer import Recognizer, load
from asr_s2s.transcripts import Transcript

Texts = dict[str, tuple[str, float]]  # text and confidence by id


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifests", type=Path, nargs="+")
    parser.add_argument("--model", default="en")
    parser.add_argument("--beam", type=int, default=5)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--sizes", default="1,16,0")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--runtimes", default="onnx")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    first_runtime, *others = arguments.runtimes.split(",")
    options = {"beam": arguments.beam, "precision": arguments.precision, "threads": arguments.threads}
    recognizer = load(arguments.model, runtime=first_runtime, **options)
    clips = [clip for manifest in arguments.manifests for clip in read_manifest(manifest)]
    ordered = orders(clips)
    sizes = [int(size) or len(clips) for size in arguments.sizes.split(",")]
    runs = [
        (recognizer, first_runtime, size, list(ordered)[(turn + place) % len(ordered)])
        for turn in range(arguments.turns)
        for place, size in enumerate(sizes)
    ]
    runs += [(load(arguments.model, runtime=name, **options), name, len(clips), "manifest") for name in others]
    first: Texts = {}
    rows = []
    for model, runtime, size, order in runs:
        started = time.perf_counter()
        found = transcribed(model, ordered[order], size=size)
        first = first or found
        changed = [key for key in found if found[key][0] != first[key][0]]
        for key in changed:
            print(f"  {key}: {first[key][0]!r} became {found[key][0]!r}, gap {first[key][1] - found[key][1]:+.5f}")
        rows.append({"runtime": runtime, "batch": size, "order": order, "clips": len(found)})
        rows[-1] |= {"same": len(found) - len(changed), "seconds": round(time.perf_counter() - started, 1)}
        print(json.dumps(rows[-1]), flush=True)
    share = sum(row["same"] for row in rows[1:]) / max(1, sum(row["clips"] for row in rows[1:]))
    print(f"{arguments.precision}, beam {arguments.beam}: {share:.3%} of the texts are the same")
    if arguments.output:
        report = {"model": arguments.model, "precision": arguments.precision, "beam": arguments.beam}
        report |= {"same": share, "rows": rows}
        record(arguments.output, report)


def orders(clips: Sequence[Utterance]) -> dict[str, list[Utterance]]:
    by_length = sorted(clips, key=lambda clip: clip.duration or 0.0)
    return {
        "manifest": list(clips),
        "longest first": by_length[::-1],
        "shuffled": random.Random(1).sample(clips, len(clips)),  # noqa: S311 - an order, no secret
    }


def transcribed(recognizer: Recognizer, clips: Sequence[Utterance], *, size: int) -> Texts:
    found: Texts = {}
    for start in range(0, len(clips), size):
        batch = clips[start : start + size]
        for clip, (_, result) in zip(batch, recognizer.transcribe_many(batch), strict=True):
            segments = result.segments if isinstance(result, Transcript) else ()
            sure = min((segment.confidence or 0.0 for segment in segments), default=0.0)
            found[clip.id] = (result.text if isinstance(result, Transcript) else str(result), sure)
    return found


if __name__ == "__main__":
    main()
