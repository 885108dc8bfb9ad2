"""What the flags are worth: precision and recall on recordings in which faults were induced.

usage: flags.py MANIFEST... [--model en] [--beam 5] [--threads 2] [--bad 0.5] [--output flags.json]

Every recording is heard as it is, and with each fault: repeated (0.4 s of its middle, a dozen times over, as a stuck
record or a lost packet plays it), cut (its second half gone, in the middle of a word), silenced (the middle two fifths
are silence), fast and slow (2 times and half the speed, the pitch with it). A transcript is bad when more than --bad of
the words are wrong, with regard to the text of the whole recording. Precision: of the transcripts that carry a flag,
how many are bad. Recall: of the bad ones, how many carry it. Flags are those before any repair.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soxr
import torch
from numpy.typing import NDArray
from record import record

from asr_s2s.audio import SAMPLE_RATE, read_audio
from asr_s2s.manifest import Utterance, read_manifest
from asr_s2s.recognizer import AudioSource, Recognizer, load
from asr_s2s.scoring import word_errors
from asr_s2s.text.normalizers import normalizer
from asr_s2s.transcripts import Transcript

Samples = NDArray[np.float32]
FLAGS = ("loop", "truncated", "low_coverage", "no_speech", "low_confidence")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifests", type=Path, nargs="+")
    parser.add_argument("--model", default="en")
    parser.add_argument("--beam", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--bad", type=float, default=0.5)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    recognizer = load(arguments.model, beam=arguments.beam, repair=False)
    clips = [clip for manifest in arguments.manifests for clip in read_manifest(manifest) if clip.text]
    heard = [one for name, fault in FAULTS.items() for one in results(recognizer, clips, name, fault, arguments.bad)]
    rows = [row(name, [one for one in heard if one["fault"] == name]) for name in FAULTS]
    rows.append(row("all", heard))
    if arguments.output:
        report = {"model": arguments.model, "bad": arguments.bad, "clips": len(clips), "rows": rows}
        record(arguments.output, report)


def repeated(samples: Samples) -> Samples:
    middle, length = len(samples) // 2, round(0.4 * SAMPLE_RATE)
    return np.concatenate([samples[:middle], *[samples[middle : middle + length]] * 12, samples[middle:]])


def cut(samples: Samples) -> Samples:
    return samples[: len(samples) // 2]


def silenced(samples: Samples) -> Samples:
    quiet = samples.copy()
    quiet[round(0.3 * len(samples)) : round(0.7 * len(samples))] = 0.0
    return quiet


def at_speed(samples: Samples, speed: float) -> Samples:
    return np.asarray(soxr.resample(samples, speed * SAMPLE_RATE, SAMPLE_RATE), np.float32)


FAULTS: dict[str, Callable[[Samples], Samples]] = {
    "none": lambda samples: samples,
    "repeated": repeated,
    "cut": cut,
    "silenced": silenced,
    "fast": lambda samples: at_speed(samples, 2.0),
    "slow": lambda samples: at_speed(samples, 0.5),
}


def results(
    recognizer: Recognizer, clips: Sequence[Utterance], name: str, fault: Callable[[Samples], Samples], bad: float
) -> Iterator[dict[str, Any]]:
    normalise = normalizer("whisper-english").apply
    sources = (AudioSource(clip.id, samples=fault(read_audio(clip.audio_path)).astype(np.float32)) for clip in clips)
    for clip, (_, result) in zip(clips, recognizer.transcribe_many(sources), strict=True):
        if not isinstance(result, Transcript):
            raise result
        errors = word_errors([normalise(clip.text or "")], [normalise(result.text)])
        yield {"fault": name, "bad": errors.errors > bad * errors.reference_length, "flags": set(result.flags)}


def row(name: str, heard: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Count for each flag, and for any of them, how many transcripts carry it, are bad, and both."""
    num_bad = sum(one["bad"] for one in heard)
    found: dict[str, Any] = {"fault": name, "transcripts": len(heard), "bad": num_bad, "flags": {}}
    parts = []
    for flag in (*FLAGS, "any"):
        carrying = [one for one in heard if (one["flags"] if flag == "any" else flag in one["flags"])]
        both = sum(one["bad"] for one in carrying)
        found["flags"][flag] = {"carry": len(carrying), "bad": both}
        if carrying:
            recall = f"{both / num_bad:.0%}" if num_bad else "–"
            parts.append(f"{flag} {len(carrying)}, precision {both / len(carrying):.0%}, recall {recall}")
    print(f"{name}: {num_bad} of {len(heard)} bad; {'; '.join(parts) or 'no flag'}", flush=True)
    return found


if __name__ == "__main__":
    main()
