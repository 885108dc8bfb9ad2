"""Items in which nobody speaks, so that the model learns to write nothing: computed, of noises, of pauses of clips."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import sounds
from numpy.typing import NDArray

from asr_s2s.audio import SAMPLE_RATE, SpeechDetector, audio_duration, read_audio, speech_segments, write_audio
from asr_s2s.manifest import Utterance

Samples = NDArray[np.float32]
SECONDS = (0.2, 20.0)
PAUSE_SECONDS = 0.5
LEVEL_DB = (-50.0, -6.0)  # of the peak of a piece of noise
CAUTIOUS = 0.2  # probability of speech above which a frame is no part of a pause


def computed(number: int, random: np.random.Generator, *, folder: Path) -> Utterance:
    """Compute a sound of one kind after the other."""
    kind = list(sounds.KINDS)[number % len(sounds.KINDS)]
    samples = sounds.sound(kind, length(random), random)
    return _written(f"sound-{number}", samples, source=f"computed: {kind}", folder=folder)


def of_noise(noises: Sequence[Utterance], number: int, random: np.random.Generator, *, folder: Path) -> Utterance:
    """Cut a piece out of a recording of noise, at some level; now and then with a computed sound in it."""
    noise = noises[int(random.integers(len(noises)))]
    whole = noise.duration or audio_duration(noise.audio_path)
    seconds = min(length(random), whole)
    samples = read_audio(noise.audio_path, offset=noise.offset + random.uniform(0, whole - seconds), duration=seconds)
    samples = samples / max(float(np.abs(samples).max(initial=0.0)), 1e-9)
    samples *= 10 ** (random.uniform(*LEVEL_DB) / 20)
    if random.random() < 0.3:
        kind = str(random.choice(list(sounds.KINDS)))
        samples += sounds.sound(kind, len(samples) / SAMPLE_RATE, random)[: len(samples)]
    return _written(f"noise-{number}", samples, source=noise.id, folder=folder)


def pauses(clips: Sequence[Utterance], count: int, random: np.random.Generator) -> Iterator[Utterance]:
    """Give the longest pause of some clips, where the detector of speech is sure that nobody speaks."""
    found = 0
    for index in random.permutation(len(clips)):
        if found == count:
            return
        clip = clips[int(index)]
        start, end = _longest_pause(read_audio(clip.audio_path))
        if end - start >= PAUSE_SECONDS * SAMPLE_RATE:
            offset, duration = round(start / SAMPLE_RATE, 3), round((end - start) / SAMPLE_RATE - 0.001, 3)
            extra = dict(clip.extra)
            yield Utterance(f"pause-{clip.id}", clip.audio_path, text="", offset=offset, duration=duration, extra=extra)
            found += 1


def length(random: np.random.Generator) -> float:
    """Draw a length in seconds, short ones as often as long ones."""
    return float(np.exp(random.uniform(*np.log(SECONDS))))


def _longest_pause(samples: Samples) -> tuple[int, int]:
    """Give where it starts and ends, in samples; nothing at all in a clip in which nobody is heard to speak."""
    spoken = speech_segments(SpeechDetector()(samples), len(samples), threshold=CAUTIOUS, shortest_seconds=0.0)
    edges = [0, *(edge for segment in spoken for edge in (segment.start, segment.end)), len(samples)]
    if not spoken:
        return 0, 0
    return max(zip(edges[::2], edges[1::2], strict=True), key=lambda pause: pause[1] - pause[0])


def _written(name: str, samples: Samples, *, source: str, folder: Path) -> Utterance:
    target = folder / f"{name}.flac"
    write_audio(target, samples, sample_rate=SAMPLE_RATE)
    extra = {"dev": False, "set": source}
    return Utterance(name, target.resolve(), text="", duration=len(samples) / SAMPLE_RATE, extra=extra)
