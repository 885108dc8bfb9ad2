"""Sounds without speech, computed: noises, hum, tones, clicks, simple music. A model must write nothing there."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RATE = 16_000  # Hz
Samples = NDArray[np.float32]
Generator = np.random.Generator
Note = Callable[[float, int], NDArray[np.float64]]  # Hz and samples to (time,)


def sound(kind: str, seconds: float, random: Generator) -> Samples:
    """Give (time,) samples of a kind at a level between -50 and -6 dB, now and then two kinds mixed."""
    samples = KINDS[kind](round(seconds * RATE), random)
    if random.random() < 0.2:
        other = KINDS[random.choice(list(KINDS))](len(samples), random)
        samples = _levelled(samples) + random.uniform(0.1, 1.0) * _levelled(other)
    return (10 ** (random.uniform(-50, -6) / 20) * _levelled(samples)).astype(np.float32)


def _levelled(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    return samples / max(float(np.abs(samples).max(initial=0.0)), 1e-9)


def _coloured(count: int, random: Generator) -> NDArray[np.float64]:
    """Noise whose power falls (or rises) with frequency, between two bounds, swelling slowly."""
    spectrum = np.fft.rfft(random.standard_normal(count))
    hertz = np.fft.rfftfreq(count, 1 / RATE)
    low, high = random.uniform(0, 400), random.uniform(800, 8000)
    shape = np.maximum(hertz, 20.0) ** -random.uniform(-0.5, 1.2) * ((hertz >= low) & (hertz <= high))
    return np.fft.irfft(spectrum * shape, count) * _swell(count, random)


def _swell(count: int, random: Generator) -> NDArray[np.float64]:
    knots = random.uniform(0.2, 1.0, size=max(2, count // RATE + 2))
    return np.interp(np.linspace(0, len(knots) - 1, count), np.arange(len(knots)), knots)


def _hum(count: int, random: Generator) -> NDArray[np.float64]:
    """Mains hum or an engine: harmonics of a low tone, with a little hiss."""
    base = random.choice([50.0, 60.0, random.uniform(25, 160)])
    time = np.arange(count) / RATE
    turns = base * time + random.uniform(0, 2) * np.sin(2 * np.pi * random.uniform(0.05, 0.5) * time)
    harmonics = range(1, int(random.integers(2, 25)))
    return sum(
        (random.uniform(0, 1) / n * np.sin(2 * np.pi * (n * turns + random.random())) for n in harmonics),
        start=random.uniform(0, 0.1) * random.standard_normal(count),
    )


def _tone(count: int, random: Generator) -> NDArray[np.float64]:
    """A steady, gliding or pulsing tone: a signal, an alarm, a whistle."""
    time = np.arange(count) / RATE
    start, end = random.uniform(100, 4000, size=2)
    hertz = np.full(count, start) if random.random() < 0.6 else np.geomspace(start, end, count)
    wave = np.sin(2 * np.pi * np.cumsum(hertz) / RATE)
    return wave * (np.sin(2 * np.pi * random.uniform(0.3, 8) * time) > 0) if random.random() < 0.4 else wave


def _clicks(count: int, random: Generator) -> NDArray[np.float64]:
    """Knocks, keys and drops: short bursts that ring, at random or in a beat."""
    out = np.zeros(count)
    beat = random.uniform(0.08, 1.0) * RATE
    regular = random.random() < 0.5
    at = random.uniform(0, beat)
    while at < count:
        length = min(int(random.uniform(0.002, 0.15) * RATE), count - int(at))
        time = np.arange(length) / RATE
        ring = np.sin(2 * np.pi * random.uniform(150, 5000) * time) + random.uniform(0, 2) * random.standard_normal(
            length
        )
        out[int(at) : int(at) + length] += random.uniform(0.3, 1) * ring * np.exp(-time * random.uniform(20, 400))
        at += beat if regular else random.exponential(beat) + 1
    return out + random.uniform(0, 0.02) * random.standard_normal(count)


def _rumble(count: int, random: Generator) -> NDArray[np.float64]:
    """Something that turns or scrapes: noise in a rhythm."""
    time = np.arange(count) / RATE
    rhythm = np.abs(np.sin(np.pi * random.uniform(0.5, 6) * time)) ** random.uniform(0.5, 6)
    return _coloured(count, random) * (random.uniform(0, 0.3) + rhythm)


def _cries(count: int, random: Generator) -> NDArray[np.float64]:
    """Animals, doors, tyres: harmonic sounds that glide up and down, with pauses; no syllables."""
    out = random.uniform(0, 0.02) * random.standard_normal(count)
    at = int(random.uniform(0, 1) * RATE)
    while at < count:
        length = min(int(random.uniform(0.15, 1.5) * RATE), count - at)
        place = np.linspace(0, 1, length)
        pitch = random.uniform(80, 1500) * 2 ** (random.uniform(0, 1) * np.sin(np.pi * place * random.uniform(0.5, 2)))
        turns = np.cumsum(pitch) / RATE
        tilt = random.uniform(0.5, 2)
        cry = sum((n**-tilt * np.sin(2 * np.pi * n * turns) for n in range(1, 12)), start=np.zeros(length))
        out[at : at + length] += cry * np.sin(np.pi * place) ** random.uniform(0.3, 2)
        at += length + int(random.uniform(0.1, 3) * RATE)
    return out


def _music(count: int, random: Generator) -> NDArray[np.float64]:
    """Chords, a melody, a bass and drums, in some tempo, key and timbre."""
    beat = int(RATE * 60 / random.uniform(60, 170))
    key = random.uniform(110, 220)
    scale = random.choice([(0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 7, 9, 12, 14)])
    parts = [part for part in (_chords, _melody, _bass, _drums) if random.random() < 0.7] or [_melody]
    out = np.zeros(count + 4 * beat)
    song = _Song(out, beat, key, scale, _timbre(random))
    for part in parts:
        part(song, random)
    return out[:count]


@dataclass(frozen=True)
class _Song:
    """What the parts of a song share; beat in samples, key in Hz, scale in semitones."""

    out: NDArray[np.float64]
    beat: int
    key: float
    scale: NDArray[np.int64]
    note: Note

    def hertz(self, degree: int) -> float:
        return self.key * 2 ** ((int(self.scale[degree % 7]) + 12 * (degree // 7)) / 12)

    def add(self, at: int, samples: NDArray[np.float64]) -> None:
        self.out[at : at + len(samples)] += samples


def _timbre(random: Generator) -> Note:
    """Give a maker of notes: strings that are plucked, or pipes and bows that are held."""
    overtones = random.uniform(0, 1, size=12) / np.arange(1, 13) ** random.uniform(0.3, 2)
    decay = random.choice([0.0, random.uniform(1, 8)])
    vibrato = random.choice([0.0, random.uniform(0, 0.006)])

    def note(hertz: float, length: int) -> NDArray[np.float64]:
        time = np.arange(length) / RATE
        turns = hertz * (time + vibrato * np.sin(2 * np.pi * 5.5 * time) / 5.5)
        heard = [n for n in range(1, 13) if n * hertz < RATE / 2]
        wave = sum(
            (overtones[n - 1] * np.sin(2 * np.pi * n * turns) * np.exp(-decay * n**0.5 * time) for n in heard),
            start=np.zeros(length),
        )
        edge = min(length // 4, 200)
        wave[:edge] *= np.linspace(0, 1, edge)
        wave[length - edge :] *= np.linspace(1, 0, edge)
        return wave

    return note


def _chords(song: _Song, random: Generator) -> None:
    length = 2 * song.beat
    for at in range(0, len(song.out) - length, length):
        root = int(random.integers(7))
        for third in (0, 2, 4):
            song.add(at, 0.5 * song.note(song.hertz(root + third), length))


def _melody(song: _Song, random: Generator) -> None:
    at, degree = 0, 7
    while at < len(song.out) - 2 * song.beat:
        length = int(song.beat * random.choice([0.5, 0.5, 1, 1, 2]))
        degree = int(np.clip(degree + random.integers(-2, 3), 0, 13))
        if random.random() < 0.85:
            song.add(at, song.note(2 * song.hertz(degree), length))
        at += length


def _bass(song: _Song, random: Generator) -> None:
    for at in range(0, len(song.out) - song.beat, song.beat):
        song.add(at, 0.8 * song.note(song.hertz(int(random.choice([0, 3, 4]))) / 2, song.beat))


def _drums(song: _Song, random: Generator) -> None:
    length = song.beat // 2
    time = np.arange(length) / RATE
    kick = np.sin(2 * np.pi * 40 * time + 8 * np.exp(-30 * time)) * np.exp(-12 * time)
    for step, at in enumerate(range(0, len(song.out) - song.beat, length)):
        hat = 0.2 * random.standard_normal(length) * np.exp(-80 * time)
        snare = 0.6 * random.standard_normal(length) * np.exp(-20 * time)
        song.add(at, hat + (kick if step % 4 == 0 else snare if step % 4 == 2 else 0))


def _nothing(count: int, random: Generator) -> NDArray[np.float64]:
    """Digital silence but for the last bits."""
    return random.integers(-1, 2, size=count) * 1.0


KINDS: dict[str, Callable[[int, Generator], NDArray[np.float64]]] = {
    "noise": _coloured,
    "hum": _hum,
    "tone": _tone,
    "clicks": _clicks,
    "rumble": _rumble,
    "cries": _cries,
    "music": _music,
    "nothing": _nothing,
}
