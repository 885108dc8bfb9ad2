"""From a recording that comes block by block to pieces that a model can take: where somebody speaks, cut at pauses."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from asr_s2s.audio import (
    SAMPLE_RATE,
    SILENCE_PEAK,
    SampleRange,
    SpeechDetector,
    cut_at_silences,
    lasting_probability,
    levelled,
    speech_segments,
)
from asr_s2s.audio.speech import FRAME, SHORTEST_SECONDS

FILE_LATENCY = 240.0  # many times a piece, so that pauses can be chosen
OPEN_SECONDS = 3.0  # speech that ends so late may go on in the next block; with little latency, half of that
# A recording so short is one piece: models of commands learned whole clips. Of its silence 0.6 s stay before and after.
# Of 2,347 words of held-out training speakers `en` has 525 wrong so, 523 with 0.3 s and 543 with all; of 1,784 words of
# GRID `commands` has 2 wrong, 5 with 0.3 s and 7 with all.
SHORT_SECONDS, MORE_SECONDS = 10.0, 0.3
# A recording of a word begins before the detector knows what silence is: it is given some, and asked to be surer. Of
# 500 training digits it misses none so, and finds speech in 21 of 480 noises as short.
WORD_SECONDS, WORD_THRESHOLD = 2.0, 0.7
LEAD_FRAMES = 8
# A breath or a click that is raised may sound like speech: in four of 600 training clips a second search found a
# word in one.
SOFT_SECONDS, SPOKEN_THRESHOLD = 1.0, 0.5
SPOKEN_PAUSE_SECONDS = 0.25  # which parts what is said, where words are held against it


@dataclass(frozen=True)
class SpokenLanguage:
    """A language by its code, and how probable it is; None where it was given."""

    code: str
    probability: float | None = None


@dataclass(frozen=True)
class Piece:
    """Some of a recording's sound; start is its first sample's number in the recording.

    language: None until it is known
    spoken: where the detector finds speech, in the piece's samples, in order; parts lie a quarter of a second apart
    """

    start: int
    samples: NDArray[np.float32]
    spoken: tuple[SampleRange, ...] = ()
    language: SpokenLanguage | None = None

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / SAMPLE_RATE

    def part(self, start: int, end: int) -> "Piece":
        """Cut out some samples of it."""
        inside = (SampleRange(max(each.start - start, 0), min(each.end, end) - start) for each in self.spoken)
        spoken = tuple(each for each in inside if each.end > each.start)
        return Piece(self.start + start, self.samples[start:end], spoken, self.language)


class Segmenter:
    """Cuts one recording, which comes block by block.

    max_seconds: of a piece
    find_speech: leave out where nobody speaks; without, all that is not silent is kept, and speech is only noted
    gap_seconds: neighbours this close are put into one piece, as long as it fits; 0 keeps every stretch of speech apart
    latency: seconds of sound that are gathered before they are cut: the more, the better the pauses to choose from
    num_samples: what was pushed so far; speech: how probable it is that somebody speaks in it
    """

    def __init__(
        self, *, max_seconds: float, find_speech: bool, gap_seconds: float = 0.0, latency: float = FILE_LATENCY
    ) -> None:
        self.num_samples = 0
        self.speech = 0.0
        self._max_seconds = max_seconds
        self._gap_seconds = gap_seconds
        self._find_speech = find_speech
        self._latency = round(latency * SAMPLE_RATE)
        self._detector = SpeechDetector()
        self._waiting = np.zeros(0, np.float32)
        self._probabilities = np.zeros(0, np.float32)  # of the frames that wait; the last may have none yet

    def push(self, block: NDArray[np.float32]) -> list[Piece]:
        """Take more sound, and return the pieces that cannot change any more, in order.

        block: (time,) at 16 kHz
        """
        self.num_samples += len(block)
        self._waiting = np.concatenate([self._waiting, block])
        return list(self._cut(is_end=False)) if len(self._waiting) >= self._latency else []

    def finish(self) -> list[Piece]:
        """Return the last pieces: the recording ends here."""
        return list(self._cut(is_end=True)) if len(self._waiting) else []

    def _cut(self, *, is_end: bool) -> Iterator[Piece]:
        first = self.num_samples - len(self._waiting)
        segments = self._segments(is_end=is_end)
        done = len(self._waiting)
        if not is_end:
            settled = len(self._waiting) - min(round(OPEN_SECONDS * SAMPLE_RATE), self._latency // 2)
            still_open = [segment for segment in segments if segment.end > settled]
            segments = segments[: len(segments) - len(still_open)]
            done = still_open[0].start if still_open else settled
            done -= done % FRAME  # the detector judges whole frames
        waiting = Piece(first, self._waiting, tuple(self._spoken(is_end=is_end)))
        for segment in segments:
            if np.abs(self._waiting[segment.start : segment.end]).max(initial=0.0) >= SILENCE_PEAK:
                part = waiting.part(segment.start, segment.end)
                yield replace(part, samples=part.samples.copy())
        self._waiting = self._waiting[done:].copy()
        self._probabilities = self._probabilities[done // FRAME :]

    def _segments(self, *, is_end: bool) -> list[SampleRange]:
        """Cut what waits; the last segments may still be open."""
        self._detect(is_end=is_end)
        if not self._find_speech:
            return self._everything()
        stretches = speech_segments(self._probabilities, len(self._waiting))
        if is_end and self.num_samples <= SHORT_SECONDS * SAMPLE_RATE:
            return self._short(stretches, is_word=self._is_word(is_end=is_end))
        return [
            SampleRange(group.start + cut.start, group.start + cut.end)
            for group in _joined(stretches, gap_seconds=self._gap_seconds, max_seconds=self._max_seconds)
            for cut in cut_at_silences(self._waiting[group.start : group.end], max_seconds=self._max_seconds)
        ]

    def _short(self, stretches: list[SampleRange], *, is_word: bool) -> list[SampleRange]:
        """Keep a short recording in one piece, without the longest silences at its ends."""
        if is_word:
            return [SampleRange(0, self.num_samples)] if self.speech >= WORD_THRESHOLD else []
        more = round(MORE_SECONDS * SAMPLE_RATE)
        return [
            SampleRange(max(first.start - more, 0), min(last.end + more, self.num_samples))
            for first, last in zip(stretches[:1], stretches[-1:], strict=True)
        ]

    def _everything(self) -> list[SampleRange]:
        """Cut at pauses alone, between whole frames, as the detector goes on there."""
        cuts = cut_at_silences(self._waiting, max_seconds=self._max_seconds - FRAME / SAMPLE_RATE)
        edges = [cut.start - cut.start % FRAME for cut in cuts] + [len(self._waiting)]
        return [SampleRange(start, end) for start, end in itertools.pairwise(edges)]

    def _detect(self, *, is_end: bool) -> None:
        """Judge the frames that wait and have no probability yet."""
        new = self._waiting[len(self._probabilities) * FRAME :]
        whole = new if is_end else new[: len(new) - len(new) % FRAME]
        if self._is_word(is_end=is_end):
            self._detector(np.zeros(LEAD_FRAMES * FRAME, np.float32))
        self._probabilities = np.concatenate([self._probabilities, self._detector(levelled(whole))])
        seconds = 0.0 if self._is_word(is_end=is_end) else SHORTEST_SECONDS
        self.speech = max(self.speech, lasting_probability(self._probabilities, seconds=seconds))

    def _is_word(self, *, is_end: bool) -> bool:
        """Return whether the whole recording is as short as a word."""
        return is_end and self.num_samples <= WORD_SECONDS * SAMPLE_RATE

    def _spoken(self, *, is_end: bool) -> list[SampleRange]:
        """Find the speech in what waits, to the frame."""
        found = speech_segments(
            self._probabilities, len(self._waiting), pause_seconds=SPOKEN_PAUSE_SECONDS, margin_seconds=0.0
        )
        return found if self._is_word(is_end=is_end) else [each for each in found if self._is_sure(each)]

    def _is_sure(self, stretch: SampleRange) -> bool:
        """Return whether a stretch is long, or speech at its own level too: raised, a breath may sound like a word."""
        if stretch.end - stretch.start >= SOFT_SECONDS * SAMPLE_RATE:
            return True
        first = max(stretch.start - LEAD_FRAMES * FRAME, 0)
        probabilities = SpeechDetector()(self._waiting[first : stretch.end])
        return bool(probabilities[(stretch.start - first) // FRAME :].max(initial=0.0) >= SPOKEN_THRESHOLD)


def _joined(segments: list[SampleRange], *, gap_seconds: float, max_seconds: float) -> list[SampleRange]:
    """Join neighbours across short pauses, as long as they fit into one piece."""
    joined: list[SampleRange] = []
    for segment in segments:
        if (
            joined
            and segment.start - joined[-1].end <= gap_seconds * SAMPLE_RATE
            and segment.end - joined[-1].start <= max_seconds * SAMPLE_RATE
        ):
            joined[-1] = SampleRange(joined[-1].start, segment.end)
        else:
            joined.append(segment)
    return joined
