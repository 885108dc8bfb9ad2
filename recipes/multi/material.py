"""Take training clips of several sets for the confidence of words.

usage: python recipes/multi/material.py DATA OUT.jsonl
"""

import sys
from pathlib import Path

import numpy as np

from asr_s2s.manifest import read_manifest, write_manifest

CLIPS = {"commonvoice": 50, "speechocean": 35, "arctic": 15, "german": 50}


def main() -> None:
    """Write a manifest of clips that are drawn by chance, the same ones every time."""
    data, target = Path(sys.argv[1]), Path(sys.argv[2])
    random = np.random.default_rng(0)
    chosen = []
    for name, count in CLIPS.items():
        clips = read_manifest(data / name / "train" / "manifest.jsonl")
        chosen += [clips[place] for place in random.choice(len(clips), count, replace=False)]
    target.parent.mkdir(parents=True, exist_ok=True)
    write_manifest(target, chosen)


if __name__ == "__main__":
    main()
