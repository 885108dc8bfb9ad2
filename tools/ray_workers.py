"""Show that a Ray cluster gives the same transcripts in the same order, even if a worker is killed on the way.

Needs pip install -e '.[ray]'.

usage: ray_workers.py MANIFEST [--model en] [--workers 2]

A local cluster transcribes the manifest twice, once undisturbed and once with one of its workers killed (SIGKILL) as
soon as the first transcripts are there; both are compared with one process in float32.
"""

import argparse
import os
import signal
import time
from pathlib import Path

from asr_s2s import load, read_manifest
from asr_s2s.recognizer.on_ray import RayWorkers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--model", default="en")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    clips = read_manifest(arguments.manifest)
    began = time.perf_counter()
    alone = [result.text for _, result in load(arguments.model, precision="float32").transcribe_many(clips)]
    print(f"one process: {len(alone)} recordings in {time.perf_counter() - began:.1f} s", flush=True)
    for kill in (False, True):
        began = time.perf_counter()
        found, killed = [], None
        workers = RayWorkers(arguments.workers, arguments.model, precision="float32")
        for source, result in workers.transcribe_many(clips):
            found.append((source.name, result.text))
            if kill and killed is None:
                killed = worker_processes()[0]
                os.kill(killed, signal.SIGKILL)
        names, texts = zip(*found, strict=True)
        in_order = list(names) == [clip.id for clip in clips]
        same = sum(one == other for one, other in zip(texts, alone, strict=True))
        what = f"worker {killed} killed on the way" if kill else "undisturbed"
        print(
            f"{arguments.workers} workers, {what}: {len(found)} recordings in {time.perf_counter() - began:.1f} s, "
            f"in order: {in_order}, the same text: {same}",
            flush=True,
        )
        if not in_order or same < len(alone):
            raise SystemExit("the cluster did not give what one process gives")


def worker_processes() -> list[int]:
    """Find the processes of Ray's workers that hold a model, which call themselves ray::MapWorker..."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                line = (folder / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if line.startswith("ray::") and "_Worker" in line:
                found.append(int(folder.name))
    return found


if __name__ == "__main__":
    main()
