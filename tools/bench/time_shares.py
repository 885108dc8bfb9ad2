"""Where the time goes: shares of a transcription by kind of work, beside what this processor multiplies at its best.

usage: time_shares.py DATA_DIR [--clips 120] [--model en] [--beam 5] [--threads 2] [--output profile.json]

The clips are those of speed.py. Times are those of torch's own profiler, per operator, without what it calls; reading
and the search for speech run in threads beside, and are timed alone. The peak is that of a product of two 2048 x 2048
matrices in the precision that is used.
"""

import argparse
import json
import time
from pathlib import Path

import torch
from record import record
from speed import chosen
from torch.profiler import ProfilerActivity, profile

from asr_s2s.audio import SpeechDetector, audio_duration, read_audio
from asr_s2s.recognizer import load

KINDS = {
    "matrix products": ("addmm", "mm", "bmm", "linear", "mkldnn"),
    "attention": ("scaled_dot_product",),
    "convolutions and spectra": ("conv", "fft"),
    "norms, activations and softmax": ("norm", "gelu", "softmax", "exp", "log"),
    "choosing tokens": ("topk", "sort", "argmax", "gather", "index"),
    "copies": ("copy", "cat", "fill", "clone", "contiguous", "pad"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--clips", type=int, default=120)
    parser.add_argument("--model", default="en")
    parser.add_argument("--beam", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    clips = chosen(arguments.data, arguments.clips)
    recognizer = load(arguments.model, runtime="torch", beam=arguments.beam)
    list(recognizer.transcribe_many(clips[:8]))
    with profile(activities=[ProfilerActivity.CPU], with_flops=True) as profiler:
        began = time.perf_counter()
        list(recognizer.transcribe_many(clips))
        wall = time.perf_counter() - began
    events = profiler.key_averages()
    total = sum(event.self_cpu_time_total for event in events) / 1e6
    shares = dict.fromkeys([*KINDS, "other"], 0.0)
    for event in events:
        kind = next((kind for kind, names in KINDS.items() if any(name in event.key for name in names)), "other")
        shares[kind] += event.self_cpu_time_total / 1e6 / total
    product_seconds = shares["matrix products"] * total
    product_flops = sum(event.flops for event in events if any(name in event.key for name in KINDS["matrix products"]))
    report = {
        "clips": len(clips),
        "audio_seconds": round(sum(map(audio_duration, clips)), 1),
        "seconds": round(wall, 2),
        "reading_seconds": round(timed_reading(clips), 2),
        "shares": {kind: round(share, 3) for kind, share in shares.items()},
        "products_gflops": round(product_flops / product_seconds / 1e9, 1),
        "peak_gflops": {str(kind): round(peak(kind), 1) for kind in (torch.float32, torch.bfloat16)},
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "threads": arguments.threads,
    }
    print(json.dumps(report, indent=1))
    if arguments.output:
        record(arguments.output, report)


def timed_reading(clips: list[Path]) -> float:
    """Seconds of one thread for decoding the files and looking for speech in them."""
    began = time.perf_counter()
    for clip in clips:
        SpeechDetector()(read_audio(clip))
    return time.perf_counter() - began


def peak(kind: torch.dtype, *, size: int = 2048, repeats: int = 10) -> float:
    one, other = torch.randn(size, size).to(kind), torch.randn(size, size).to(kind)
    one @ other
    began = time.perf_counter()
    for _ in range(repeats):
        one @ other
    return 2 * size**3 * repeats / (time.perf_counter() - began) / 1e9


if __name__ == "__main__":
    main()
