"""Speech that is recognised by no word: runs of words that are missing in long recordings, and whether a flag says so.

usage: lost_speech.py DATA_DIR [--split eval] [--sets commonvoice,...] [--models en,...] [--minutes 10] [--most M]
       [--pauses 0.1,2] [--threads 2] [--search key=value,...] [--output lost_speech.json]

The clips of each set of English sentences are joined with pauses to recordings of so many minutes, the clips of a
speaker one after another and all of them mixed; --most takes so many minutes of each set. A lost run is four or more
words of the reference in a row that are deleted (after whisper-english; each clip is aligned with the words that were
recognised in its time) where the detector finds speech. It counts as flagged if what a `low_coverage` flag names covers
its place. Words that nobody said (the detector finds less than a tenth of a second of speech for each) are listed
apart, with their times.
"""

import argparse
import itertools
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from joined import ORDERS, SETS, Joined, Placed, clips_of, join, ordered
from record import record

from asr_s2s.audio import SAMPLE_RATE, SpeechDetector, read_audio
from asr_s2s.audio.speech import FRAME
from asr_s2s.recognizer import Recognizer, load
from asr_s2s.recognizer.words import spelled_words
from asr_s2s.scoring import align
from asr_s2s.search import token_frames
from asr_s2s.text.normalizers import normalizer
from asr_s2s.transcripts import Transcript

SHORTEST_RUN = 4  # words
SECONDS_A_WORD = 0.1  # nobody says ten words a second: less speech than that is no saying of them
SPEECH = 0.5  # the detector's probability that counts as speech


@dataclass(frozen=True)
class Run:
    """Words of the reference in a row that were not recognised, and the seconds in the recording where they are."""

    words: str
    start: float
    end: float
    speech: float
    flagged: bool

    @property
    def is_said(self) -> bool:
        return self.speech >= SECONDS_A_WORD * len(self.words.split())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--split", default="eval")
    parser.add_argument("--sets", default=",".join((*SETS, "all")))
    parser.add_argument("--models", default="en")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--most", type=float, default=float("inf"))
    parser.add_argument("--pauses", default="0.1,2")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--search", default="", help="changes of the model's search, such as length_normalization=1.0")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    shortest, longest = (float(value) for value in arguments.pauses.split(","))
    pauses = shortest, longest
    changes = {
        key: json.loads(value) for key, value in (each.split("=") for each in arguments.search.split(",") if each)
    }
    listener = load("en")  # aligns the references
    rows = []
    for model in arguments.models.split(","):
        recognizer = Recognizer(load(model).model.with_search(**changes))
        for name, order in itertools.product(arguments.sets.split(","), ORDERS):
            clips = [clip for each in members(name) for clip in clips_of(arguments.data, each, arguments.split)]
            recordings = join(ordered(clips, order), pauses=pauses, seconds=arguments.minutes * 60)
            row = measured(recognizer, listener, recordings, most_minutes=arguments.most)
            rows.append({"model": model, "set": name, "order": order} | row)
            print_row(rows[-1])
        print_total([row for row in rows if row["model"] == model])
    if arguments.output:
        record(arguments.output, rows)


def members(name: str) -> Sequence[str]:
    """List the sets that a name stands for."""
    return SETS if name == "all" else (name,)


def measured(
    recognizer: Recognizer, listener: Recognizer, recordings: Iterable[Joined], *, most_minutes: float
) -> dict[str, Any]:
    """Transcribe recordings, and find what is missing."""
    words = errors = 0
    heard = seconds = 0.0
    runs: list[Run] = []
    idle = 0
    for recording in recordings:
        if heard >= most_minutes * 60:
            break
        began = time.perf_counter()
        transcript = recognizer.transcribe(recording.samples, sample_rate=SAMPLE_RATE)
        seconds += time.perf_counter() - began
        heard += transcript.duration
        found, counts = deleted_runs(recording, transcript, listener)
        runs += found
        words, errors = words + counts[0], errors + counts[1]
        said = [run for run in found if run.is_said]
        idle += sum(not any(run.start < end and start < run.end for run in said) for start, end in flags(transcript))
    lost = [run for run in runs if run.is_said]
    return {
        "minutes": round(heard / 60, 2),
        "seconds": round(seconds, 1),
        "words": words,
        "errors": errors,
        "lost": len(lost),
        "unflagged": sum(not run.flagged for run in lost),
        "idle_flags": idle,
        "runs": [vars(run) for run in runs],
    }


def flags(transcript: Transcript) -> list[tuple[float, float]]:
    """List what low_coverage flags cover, in seconds."""
    return [(segment.start, segment.end) for segment in transcript.segments if "low_coverage" in segment.flags]


def deleted_runs(recording: Joined, transcript: Transcript, listener: Recognizer) -> tuple[list[Run], tuple[int, int]]:
    """Find the deleted runs of a recording, and count its words and errors."""
    normalise = normalizer("whisper-english").apply
    places, kinds = [], []
    for placed, said in by_clip(recording, transcript):
        words = normalise(placed.clip.text or "").split()
        places += [(placed, number, word) for number, word in enumerate(words)]
        kinds += [step.kind for step in align(words, normalise(said).split()) if step.reference]
    steps = align([word for _, _, word in places], normalise(transcript.text).split())
    speech = SpeechDetector()(recording.samples) >= SPEECH
    covered = flags(transcript)
    runs = []
    for first, end in deletions(kinds):
        start, stop = place_of(places[first], listener)[0], place_of(places[end - 1], listener)[1]
        frames = speech[int(start * SAMPLE_RATE / FRAME) : max(round(stop * SAMPLE_RATE / FRAME), 1)]
        runs.append(
            Run(
                words=" ".join(word for _, _, word in places[first:end]),
                start=round(start, 2),
                end=round(stop, 2),
                speech=round(float(frames.sum()) * FRAME / SAMPLE_RATE, 2),
                flagged=any(start < flag_end and flag_start < stop for flag_start, flag_end in covered),
            )
        )
    return runs, (len(places), sum(step.kind != "correct" for step in steps))


def by_clip(recording: Joined, transcript: Transcript) -> Iterator[tuple[Placed, str]]:
    """Give each clip with the words that were recognised in its time, up to the middle of the pauses around it."""
    starts = [placed.start for placed in recording.clips]
    ends = [placed.start + len(read_audio(placed.clip.audio_path)) / SAMPLE_RATE for placed in recording.clips]
    edges = [(end + start) / 2 for end, start in zip(ends, starts[1:], strict=False)]
    places = np.searchsorted(edges, [(word.start + word.end) / 2 for word in transcript.words])
    for number, placed in enumerate(recording.clips):
        words = (word.word for word, place in zip(transcript.words, places, strict=True) if place == number)
        yield placed, " ".join(words)


def deletions(kinds: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Give where runs of deleted words begin and end."""
    place = 0
    for kind, group in itertools.groupby(kinds):
        length = len(list(group))
        if kind == "deletion" and length >= SHORTEST_RUN:
            yield place, place + length
        place += length


def place_of(word: tuple[Placed, int, str], listener: Recognizer) -> tuple[float, float]:
    """Say when in the recording a word of a clip was said, by an alignment of the clip's own text."""
    placed, number, _ = word
    text = normalizer("whisper-english").apply(placed.clip.text or "")
    samples = read_audio(placed.clip.audio_path)
    _, _, attention = listener.features_and_attention(samples, text)
    assert attention is not None
    vocabulary = listener.model.vocabulary
    tokens = spelled_words(vocabulary, vocabulary.encode(text))[number]
    (frames,) = token_frames([attention])
    seconds = len(samples) / SAMPLE_RATE / attention.shape[1]
    return placed.start + frames[tokens.first][0] * seconds, placed.start + frames[tokens.end - 1][1] * seconds


def print_row(row: dict[str, Any]) -> None:
    print(json.dumps({key: value for key, value in row.items() if key != "runs"}), flush=True)
    for run in row["runs"]:
        kind = ("flagged" if run["flagged"] else "UNFLAGGED") if Run(**run).is_said else "not said"
        print(
            f"    {kind} {run['start']:.1f}-{run['end']:.1f} s, {run['speech']:.1f} s of speech: {run['words']}",
            flush=True,
        )


def print_total(rows: Sequence[dict[str, Any]]) -> None:
    counted = ("minutes", "seconds", "words", "errors", "lost", "unflagged", "idle_flags")
    total = {key: sum(row[key] for row in rows) for key in counted}
    hours, rate = total["minutes"] / 60, total["errors"] / total["words"]
    print(
        f"{rows[0]['model']}: {hours:.2f} hours in {total['seconds']:.0f} s, WER {rate:.2%}; lost runs {total['lost']} "
        f"({total['lost'] / hours:.1f} an hour), {total['unflagged']} of them unflagged; "
        f"idle flags {total['idle_flags']} ({total['idle_flags'] / hours:.1f} an hour)",
        flush=True,
    )


if __name__ == "__main__":
    main()
