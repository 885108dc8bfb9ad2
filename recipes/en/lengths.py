"""Development recordings of all lengths, a sentence to 30 seconds, made of training clips: what a search is chosen on.

usage: lengths.py DATA_DIR OUTPUT_DIR [--exclude FILE] [--number 240] [--seed 3]

DATA_DIR holds SET/train/manifest.jsonl. Half of the recordings have one speaker, half several; pauses of 0.1 to 2
seconds lie between the clips. OUTPUT_DIR/manifest.jsonl says in `parts` when each clip begins and ends.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from asr_s2s.audio import SAMPLE_RATE, read_audio, write_audio
from asr_s2s.data import assert_none_excluded
from asr_s2s.manifest import Utterance, read_manifest, write_manifest

SETS = ("commonvoice", "speechocean", "ljspeech", "arctic", "prompts")
LONGEST = 30.0  # seconds: what a model takes at once
PAUSES = (0.1, 2.0)  # seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--exclude", type=Path)
    parser.add_argument("--number", type=int, default=240)
    parser.add_argument("--seed", type=int, default=3)
    arguments = parser.parse_args()
    random = np.random.default_rng(arguments.seed)
    sets = [read_manifest(arguments.data / name / "train" / "manifest.jsonl") for name in SETS]
    if arguments.exclude:
        assert_none_excluded([clip for clips in sets for clip in clips], arguments.exclude)
    items = []
    for number in range(arguments.number):
        clips = sets[number % len(sets)]
        if number // len(sets) % 2:  # several speakers, and several microphones
            clips = [clip for clips in sets for clip in clips]
        items.append(recording(clips, number, random, folder=arguments.output / "audio"))
    write_manifest(arguments.output / "manifest.jsonl", items)
    seconds = sum(item.duration or 0.0 for item in items)
    print(f"{len(items)} recordings, {seconds / 60:.1f} minutes")


def recording(clips: Sequence[Utterance], number: int, random: np.random.Generator, *, folder: Path) -> Utterance:
    """Join clips, of one speaker where the set has several, until a length drawn evenly is reached."""
    chosen = clips[int(random.integers(len(clips)))]
    if len({clip.extra.get("source") for clip in clips}) == 1:
        clips = [clip for clip in clips if clip.speaker == chosen.speaker]
    wanted = random.uniform(0.0, LONGEST) * SAMPLE_RATE
    samples = read_audio(chosen.audio_path)
    parts = [(chosen, 0, len(samples))]
    while len(samples) < wanted:
        clip = clips[int(random.integers(len(clips)))]
        more = read_audio(clip.audio_path)
        start = len(samples) + round(random.uniform(*PAUSES) * SAMPLE_RATE)
        if start + len(more) > LONGEST * SAMPLE_RATE:
            break
        samples = np.concatenate([samples, np.zeros(start - len(samples), np.float32), more])
        parts.append((clip, start, len(samples)))
    path = folder / f"{number}.flac"
    write_audio(path, samples, sample_rate=SAMPLE_RATE)
    return Utterance(
        id=f"lengths-{number}",
        audio_path=path,
        text=" ".join(clip.text or "" for clip, _, _ in parts),
        duration=len(samples) / SAMPLE_RATE,
        extra={
            "parts": [
                {"text": clip.text, "start": start / SAMPLE_RATE, "end": end / SAMPLE_RATE, "source": clip.id}
                for clip, start, end in parts
            ]
        },
    )


if __name__ == "__main__":
    main()
