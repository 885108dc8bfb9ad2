"""How a model does on clean, noisy, narrow, quiet, clipped and cut recordings, and by groups of speakers.

usage: measure.py DATA_DIR [--model en] [--beam 5] [--part sets,groups,conditions,tails,short] [--output measured.json]

DATA_DIR holds SET/eval/manifest.jsonl. Error rates are in percent after the whisper-english normaliser. Conditions are
made of 40 clips of each of three sets; the noises are those of no_speech, which no model of ours was trained on.
"""

import argparse
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from asr_s2s.audio import SAMPLE_RATE, mix_noise, read_audio, resample
from asr_s2s.features import WhisperConfig
from asr_s2s.manifest import Utterance, read_manifest
from asr_s2s.model_store.directory import SpeechSystem, load_model, rebuilt
from asr_s2s.recognizer import DecodeOptions, Recognizer, Source
from asr_s2s.recognizer.in_torch import in_torch
from asr_s2s.scoring import character_errors, runs_on, word_errors
from asr_s2s.text.normalizers import normalizer
from asr_s2s.transcripts import Transcript

Samples = NDArray[np.float32]
Change = Callable[[Samples, int], Samples]  # of the samples (time,) and the number of the clip
SETS = ("commonvoice", "speechocean", "ljspeech", "arctic", "prompts")
VARIED = ("commonvoice", "ljspeech", "arctic")
CLIPS = 40
NOISES = ("gsc_exercise_bike-0", "gsc_dude_miaowing-0", "hiss")
TAILS = (0.0, 0.25, 0.5, 1.0, 2.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="en")
    parser.add_argument("--beam", type=int, default=5)
    parser.add_argument("--part", default="sets,groups,conditions,tails,short")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    system = load_model(arguments.model)
    measured: dict[str, Any] = {"model": arguments.model, "beam": arguments.beam}
    for part in arguments.part.split(","):
        measured[part] = PARTS[part](system, arguments.data, arguments.beam)
        print(part, json.dumps(measured[part], indent=1), flush=True)
    if arguments.output:
        arguments.output.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")


def sets(system: SpeechSystem, data: Path, beam: int) -> dict[str, Any]:
    recognizer = in_options(system, beam)
    return {name: rates(recognizer, evaluation(data, name)) for name in SETS}


def groups(system: SpeechSystem, data: Path, beam: int) -> dict[str, Any]:
    """Children and adults among the learners; men and women, and accents where a set names them."""
    recognizer = in_options(system, beam)
    learners, volunteers = evaluation(data, "speechocean"), evaluation(data, "commonvoice")
    chosen = {
        "learners, up to 12 years": [clip for clip in learners if int(clip.extra["age"]) <= 12],
        "learners, older": [clip for clip in learners if int(clip.extra["age"]) > 12],
        "volunteers, men": [clip for clip in volunteers if str(clip.extra.get("gender", "")).startswith("male")],
        "volunteers, women": [clip for clip in volunteers if str(clip.extra.get("gender", "")).startswith("female")],
        "volunteers, not said": [clip for clip in volunteers if not clip.extra.get("gender")],
    }
    return {name: rates(recognizer, clips) for name, clips in chosen.items() if clips}


def conditions(system: SpeechSystem, data: Path, beam: int) -> dict[str, Any]:
    recognizer = in_options(system, beam)
    clips = varied(data)
    noises = [read_audio(data / "no_speech" / "eval" / "audio" / f"{name}.ogg") for name in NOISES]

    def noisy(snr_db: float) -> Change:
        return lambda samples, number: mix_noise(
            samples, noises[number % len(noises)], snr_db=snr_db, start=number * 997
        )

    changes: dict[str, Change] = {"clean": lambda samples, _: samples}
    changes |= {f"noise at {snr} dB": noisy(snr) for snr in (20, 15, 10, 5, 0)}
    changes |= {
        "telephone band": lambda samples, _: resample(resample(samples, SAMPLE_RATE, 8000), 8000, SAMPLE_RATE),
        "40 dB lower": lambda samples, _: samples * np.float32(0.01),
        "clipped": lambda samples, _: np.clip(samples * np.float32(10), -0.5, 0.5),
    }
    return {name: rates(recognizer, clips, change) for name, change in changes.items()}


def tails(system: SpeechSystem, data: Path, beam: int) -> dict[str, Any]:
    """WER by the silence that the front end adds after an unpadded utterance, clean and in noise."""
    if not isinstance(system.config.input, WhisperConfig) or system.config.input.pad_to_seconds:
        return {}
    clips = varied(data)
    noise = read_audio(data / "no_speech" / "eval" / "audio" / f"{NOISES[0]}.ogg")
    found: dict[str, Any] = {}
    for tail in TAILS:
        recognizer = in_options(with_tail(system, tail), beam)
        found[f"{tail} s"] = {"clean": rates(recognizer, clips)} | {
            f"{snr} dB": rates(
                recognizer, clips, lambda samples, number, snr=snr: mix_noise(samples, noise, snr_db=snr, start=number)
            )
            for snr in (15, 5, 0)
        }
    return found


def in_options(system: SpeechSystem, beam: int, *, find_speech: bool = True) -> Recognizer:
    """Measure what one search finds."""
    options = DecodeOptions(beam=beam, repair=False, find_speech=find_speech)
    return Recognizer(in_torch(system, precision="auto"), options)


def with_tail(system: SpeechSystem, seconds: float) -> SpeechSystem:
    features = system.config.input.model_copy(update={"tail_seconds": seconds})
    return rebuilt(system, system.config.model_copy(update={"input": features}))


def short(system: SpeechSystem, data: Path, beam: int) -> dict[str, Any]:
    """Count what is written for pieces too short for words, cuts through words, and recordings without speech.

    The detector of speech, which hears nobody in most of these, is left out.
    """
    recognizer = in_options(system, beam, find_speech=False)
    random = np.random.default_rng(0)
    sounds = [read_audio(clip.audio_path) for clip in varied(data)]
    found = {}
    for seconds in (0.05, 0.3, 1.0):
        count = round(seconds * SAMPLE_RATE)
        starts = [int(random.integers(max(1, len(sound) - count))) for sound in sounds]
        texts = transcribed(recognizer, [sound[at : at + count] for sound, at in zip(sounds, starts, strict=True)])
        words = [len(text.split()) for text in texts]
        found[f"{seconds} s pieces"] = {
            "clips": len(words), "words": sum(words), "most words": max(words),
            "run-ons": sum(count > 5 * seconds + 3 for count in words),
        }  # fmt: skip
    nothing = [read_audio(clip.audio_path) for clip in evaluation(data, "no_speech")]
    for name, amounts in {"no speech": nothing, "no speech, 2 s": [one[:32_000] for one in nothing]}.items():
        found[name] = {
            "clips": len(amounts),
            "words": sum(len(text.split()) for text in transcribed(recognizer, amounts)),
        }
    return found


PARTS = {"sets": sets, "groups": groups, "conditions": conditions, "tails": tails, "short": short}


def evaluation(data: Path, name: str) -> list[Utterance]:
    return read_manifest(data / name / "eval" / "manifest.jsonl")


def varied(data: Path) -> list[Utterance]:
    return [clip for name in VARIED for clip in evaluation(data, name)[:CLIPS]]


def rates(recognizer: Recognizer, clips: Sequence[Utterance], change: Change | None = None) -> dict[str, Any]:
    sounds: Iterator[Samples] = (read_audio(clip.audio_path) for clip in clips)
    if change is not None:
        sounds = (change(sound, number) for number, sound in enumerate(sounds))
    normalise = normalizer("whisper-english").apply
    said = [clip.text or "" for clip in clips]
    written = list(transcribed(recognizer, sounds))
    references, hypotheses = [normalise(text) for text in said], [normalise(text) for text in written]
    words, characters = word_errors(references, hypotheses), character_errors(references, hypotheses)
    return {
        "clips": len(clips),
        "wer": round(words.percent, 2),
        "cer": round(characters.percent, 2),
        "run_ons": sum(map(runs_on, said, written)),
    }


def transcribed(recognizer: Recognizer, sounds: Iterable[Samples]) -> list[str]:
    sources = (Source(name=str(number), samples=sound) for number, sound in enumerate(sounds))
    return [result.text if isinstance(result, Transcript) else "" for _, result in recognizer.transcribe_many(sources)]


if __name__ == "__main__":
    main()
