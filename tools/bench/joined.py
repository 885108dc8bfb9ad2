"""Long recordings made of short clips, whose every word's place is known; the benches of long audio share them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asr_s2s.audio import SAMPLE_RATE, read_audio
from asr_s2s.manifest import Utterance, read_manifest

SETS = ("commonvoice", "speechocean", "ljspeech", "arctic", "prompts")  # English sentences
ORDERS = ("speaker", "mixed")  # the clips of a speaker one after another, or all in a random order


@dataclass(frozen=True)
class Placed:
    """A clip in a recording, which begins there at this second."""

    clip: Utterance
    start: float


@dataclass
class Joined:
    """A recording made of clips with pauses between them."""

    samples: NDArray[np.float32]  # (time,) at 16 kHz
    clips: list[Placed] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Join the texts of the clips."""
        return " ".join(placed.clip.text or "" for placed in self.clips)


def ordered(clips: Sequence[Utterance], order: str, *, seed: int = 0) -> list[Utterance]:
    """Shuffle the clips, or the speakers with each one's clips together."""
    random = np.random.default_rng([seed, ORDERS.index(order)])
    shuffled = [clips[place] for place in random.permutation(len(clips))]
    if order == "mixed":
        return shuffled
    places = {speaker: place for place, speaker in enumerate(dict.fromkeys(clip.speaker for clip in shuffled))}
    return sorted(shuffled, key=lambda clip: places[clip.speaker])


def join(clips: Iterable[Utterance], *, pauses: tuple[float, float], seconds: float, seed: int = 1) -> Iterator[Joined]:
    """Join clips to recordings, each as long as so many seconds at least but the last; pauses are drawn evenly."""
    random = np.random.default_rng(seed)
    parts: list[NDArray[np.float32]] = []
    placed: list[Placed] = []
    length = 0
    for clip in clips:
        samples = read_audio(clip.audio_path)
        silence = np.zeros(round(random.uniform(*pauses) * SAMPLE_RATE), np.float32)
        placed.append(Placed(clip, length / SAMPLE_RATE))
        parts += [samples, silence]
        length += len(samples) + len(silence)
        if length >= seconds * SAMPLE_RATE:
            yield Joined(np.concatenate(parts), placed)
            parts, placed, length = [], [], 0
    if parts:
        yield Joined(np.concatenate(parts), placed)


def clips_of(data: Path, name: str, split: str) -> list[Utterance]:
    """Read the clips of one set."""
    return read_manifest(data / name / split / "manifest.jsonl")
