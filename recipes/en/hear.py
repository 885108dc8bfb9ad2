"""The imported model's transcripts of what has no text, on two processor cores.

A training set is tens of thousands of short clips: the silence of its window is merged, and a hypothesis is given up
where no speech is so fast; such clips are left out afterwards.
"""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

from asr_s2s.manifest import Utterance, read_manifest, write_manifest
from asr_s2s.recognizer import DecodeOptions, Recognizer, load
from asr_s2s.transcripts import Transcript

PART = 400  # clips of a part, which is kept when the run is cut off
PLAIN = {"find_speech": False, "repair": False}  # what is wrong must show
MAX_TOKENS_PER_FRAME = 0.3  # 15 a second, twice as many as quick speech has


def hear(teacher: Path, ask: Path, *, output: Path) -> None:
    """Write the manifest with pred_text and flags; a clip that cannot be transcribed has none."""
    clips = read_manifest(ask)
    parts = [clips[start : start + PART] for start in range(0, len(clips), PART)]
    files = [output.parent / "heard" / f"{number:04}.jsonl" for number in range(len(parts))]
    with ProcessPoolExecutor(2) as pool:
        for done, _ in enumerate(pool.map(partial(_hear_part, teacher), parts, files), start=1):
            print(f"heard {done} of {len(parts)} parts", flush=True)
    write_manifest(output, [clip for file in files for clip in read_manifest(file)])


def _hear_part(teacher: Path, clips: Sequence[Utterance], output: Path) -> None:
    if output.exists():
        return
    ready = load(teacher, threads=1).model.with_search(max_tokens_per_frame=MAX_TOKENS_PER_FRAME)
    recognizer = Recognizer(ready, DecodeOptions(beam=1, **PLAIN))
    results = recognizer.transcribe_many(clips)
    write_manifest(output, [_with_transcript(clip, result) for clip, (_, result) in zip(clips, results, strict=True)])


def _with_transcript(clip: Utterance, result: object) -> Utterance:
    if not isinstance(result, Transcript):
        return clip
    return replace(clip, pred_text=result.text, extra=dict(clip.extra) | {"flags": dict(result.flags)})
