"""What the model learns from: clips, pieces cut anywhere, clips joined, and sounds without speech, as 16 kHz FLAC.

Two steps, with the padded model's transcripts (hear.py) between them:
  gather   clips of all manifests; pieces and joined clips made from them; sounds        -> clips.jsonl, ask.jsonl
  choose   the text of each: its own, or what the model heard; loops and silences go     -> train.jsonl, dev.jsonl
"""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import speechless
from numpy.typing import NDArray

from asr_s2s.audio import SAMPLE_RATE, read_audio, write_audio
from asr_s2s.data import assert_none_excluded
from asr_s2s.manifest import Utterance, read_manifest, write_manifest
from asr_s2s.scoring import align

Samples = NDArray[np.float32]
PIECE_SECONDS = (0.2, 8.0)
JOINED_SECONDS = (8.0, 28.0)  # whisper's window is 30
LETTERS_A_SECOND = 50  # what training refuses: nobody speaks as quickly
QUIET = 10 ** (-30 / 20)  # of a clip's peak: a piece below it holds no words


@dataclass(frozen=True)
class Amounts:
    """How many items are made beside the clips, and speakers or utterances held out of each manifest."""

    pieces: int = 1200
    joined: int = 400
    sounds: int = 2000
    noises: int = 600
    pauses: int = 400
    dev_speakers: int = 10
    dev_utterances: int = 20
    seed: int = 1


def gather(
    manifests: Sequence[Path], noises: Sequence[Utterance], *, exclude: Path | None, output: Path, amounts: Amounts
) -> None:
    """Write clips.jsonl, of all that may be trained on or held out, and ask.jsonl, what the padded model must hear."""
    clips = [clip for manifest in manifests for clip in marked(read_manifest(manifest), manifest, amounts)]
    if exclude:
        assert_none_excluded(clips, exclude)
    with ProcessPoolExecutor(2) as pool:
        clips = list(pool.map(partial(as_flac, folder=output / "audio"), clips, chunksize=64))
    training = [clip for clip in clips if not clip.extra["dev"]]
    random = np.random.default_rng(amounts.seed)
    pieces = [piece(training[int(random.integers(len(training)))], n, random) for n in range(amounts.pieces)]
    labelled = [clip for clip in training if clip.text and not clip.text.isupper()]
    joined = [join(labelled, n, random, folder=output / "audio") for n in range(amounts.joined)]
    silent = [speechless.computed(n, random, folder=output / "audio") for n in range(amounts.sounds)]
    silent += speechless.pauses(training, amounts.pauses, random)
    if noises:
        silent += [speechless.of_noise(noises, n, random, folder=output / "audio") for n in range(amounts.noises)]
    write_manifest(output / "ask.jsonl", [item for item in (*clips, *pieces) if needs_ears(item)])
    write_manifest(output / "clips.jsonl", [*clips, *pieces, *joined, *silent])


def choose(clips: Path, heard: Path, *, output: Path) -> None:
    """Write train.jsonl and dev.jsonl, with the padded model's text where a clip has none of its own in mixed case."""
    transcripts = {item.id: item for item in read_manifest(heard)}
    chosen = [
        clip if clip.id not in transcripts else with_text(clip, transcripts[clip.id]) for clip in read_manifest(clips)
    ]
    kept = [in_mixed_case(clip) for clip in chosen if clip is not None]
    for name, held_out in (("train", False), ("dev", True)):
        side = [clip for clip in kept if clip.extra["dev"] is held_out]
        write_manifest(output / f"{name}.jsonl", side)
        print(f"{name}: {len(side)} utterances, {sum(item.duration or 0 for item in side) / 3600:.2f} hours")
    print(f"{len(chosen) - len(kept)} left out: the padded model looped, or heard words in silence")


def marked(clips: Sequence[Utterance], manifest: Path, amounts: Amounts) -> Iterator[Utterance]:
    """Say which clips are held out: whole speakers, or utterances where a manifest knows one speaker or none."""
    random = np.random.default_rng(amounts.seed)
    speakers = sorted({clip.speaker for clip in clips if clip.speaker})
    if len(speakers) > 2 * amounts.dev_speakers:
        held_out = set(random.choice(speakers, size=amounts.dev_speakers, replace=False))
        dev = [clip.speaker in held_out for clip in clips]
    else:
        dev = [False] * len(clips)
        if any(clip.text for clip in clips) and len(clips) > 1:
            count = min(amounts.dev_utterances, max(1, len(clips) // 4))
            for index in random.choice(len(clips), size=count, replace=False):
                dev[index] = True
    for clip, is_dev in zip(clips, dev, strict=True):
        yield replace(clip, extra=dict(clip.extra) | {"dev": is_dev, "set": str(manifest)})


def as_flac(clip: Utterance, *, folder: Path) -> Utterance:
    """Decode a clip once for all epochs."""
    target = folder / f"{clip.id}.flac"
    if not target.exists():
        samples = read_audio(clip.audio_path, offset=clip.offset, duration=clip.duration)
        write_audio(target, samples, sample_rate=SAMPLE_RATE)
    else:
        samples = read_audio(target)
    return replace(clip, audio_path=target.resolve(), offset=0.0, duration=len(samples) / SAMPLE_RATE)


def piece(clip: Utterance, number: int, random: np.random.Generator) -> Utterance:
    """Cut a piece out of a clip wherever it falls, half words included; nobody knows its text."""
    whole = clip.duration or 0.0
    seconds = min(whole, float(np.exp(random.uniform(*np.log(PIECE_SECONDS)))))
    offset = round(random.uniform(0, whole - seconds), 3)
    duration = round(min(seconds, whole - offset), 3)
    return replace(clip, id=f"piece-{number}-{clip.id}", text=None, offset=offset, duration=duration)


def join(clips: Sequence[Utterance], number: int, random: np.random.Generator, *, folder: Path) -> Utterance:
    """Put clips one after another, up to a length, each with its level and pauses between."""
    wanted = random.uniform(*JOINED_SECONDS)
    parts, texts, sets = [], [], set()
    while True:
        clip = clips[int(random.integers(len(clips)))]
        pause = random.uniform(0.05, 0.8)
        if sum(map(len, parts)) / SAMPLE_RATE + pause + (clip.duration or 0) > wanted and parts:
            break
        samples = read_audio(clip.audio_path)[: round(JOINED_SECONDS[1] * SAMPLE_RATE)]
        parts += [samples, np.zeros(round(pause * SAMPLE_RATE), np.float32)]
        texts.append(sentence(clip.text or ""))
        sets.add(clip.extra["set"])
    samples = np.concatenate(parts[:-1])
    target = folder / f"joined-{number}.flac"
    write_audio(target, samples, sample_rate=SAMPLE_RATE)
    extra = {"dev": False, "set": ", ".join(sorted(sets))}
    return Utterance(
        f"joined-{number}", target.resolve(), text=" ".join(texts), duration=len(samples) / SAMPLE_RATE, extra=extra
    )


def sentence(text: str) -> str:
    """End a text so that the next can follow."""
    return text if re.search(r"[.!?]\W*$", text) else f"{text}."


def needs_ears(clip: Utterance) -> bool:
    return clip.text is None or (clip.text.isupper() and not clip.extra["dev"])


def with_text(clip: Utterance, heard: Utterance) -> Utterance | None:
    """Give a clip its text, or None where it teaches nothing good."""
    said = (heard.pred_text or "").strip()
    words = len(said.split())
    seconds = clip.duration or 0
    if heard.extra.get("flags") or words > 5 * seconds + 3 or len(said) > LETTERS_A_SECOND * seconds:
        return None if clip.text is None else replace(clip, text=recased(clip.text, ""))
    if clip.text is not None:
        return replace(clip, text=recased(clip.text, said))
    if said and is_quiet(clip):
        return None
    return replace(clip, text=said)


def in_mixed_case(clip: Utterance) -> Utterance:
    """Write what is still in capitals, the held-out clips, in small letters: error rates there count case."""
    return (
        replace(clip, text=recased(clip.text, "")) if clip.text and clip.text.isupper() and clip.extra["dev"] else clip
    )


def is_quiet(clip: Utterance) -> bool:
    """Tell whether a piece is far below the level of the clip that it was cut from: a pause."""
    if not clip.id.startswith("piece-"):
        return False
    samples = np.abs(read_audio(clip.audio_path))
    start = round(clip.offset * SAMPLE_RATE)
    stop = start + round((clip.duration or 0) * SAMPLE_RATE)
    return float(samples[start:stop].max(initial=0.0)) < QUIET * float(samples.max(initial=0.0))


def recased(text: str, heard: str) -> str:
    """Write a text of capitals as a transcript of the same speech writes its words; the others in small letters.

    The texts of speechocean762 are in capitals without punctuation, which a model must not learn.
    """
    reference, said = text.lower().split(), heard.split()
    plain = [re.sub(r"[^\w']", "", word).lower() for word in said]
    place = iter(said)
    out = []
    for step in align(reference, plain):
        word = next(place) if step.hypothesis is not None else None
        if step.reference is not None:
            out.append(word if step.kind == "correct" else step.reference)
    joined = " ".join(out)
    return joined[:1].upper() + joined[1:]
