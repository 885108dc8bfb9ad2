"""From a recording that comes block by block to pieces that a model can take: where somebody speaks, cut at pauses."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr_s2s.audio import SAMPLE_RATE, Segment, SpeechDetector, cut_at_silences, speech_segments
from asr_s2s.audio.speech import FRAME

SILENCE_PEAK = 1e-4  # -80 dB below full scale: under the last bits of 16-bit recordings, far under quiet real speech
WAIT_SECONDS = 240.0  # of sound gathered before it is cut: many times a piece, so that pauses can be chosen
OPEN_SECONDS = 3.0  # speech that ends so late may go on in the next block
SOFT_PEAK = 0.1  # -20 dB: softer recordings are made so loud for the detector, which misses what is very soft


@dataclass(frozen=True)
class Piece:
    """Some of a recording's sound; start is its first sample's number in the recording."""

    start: int
    samples: NDArray[np.float32]


class Pieces:
    """Cuts one recording; iterate it once.

    blocks: (time,) each, at 16 kHz
    find_speech: leave out where nobody speaks; without, all that is not silent is kept
    gap_seconds: neighbours this close are put into one piece, as long as it fits; 0 keeps every stretch of speech apart
    num_samples, speech: what was heard so far, and the highest probability of speech in it
    """

    def __init__(
        self,
        blocks: Iterable[NDArray[np.float32]],
        *,
        max_seconds: float,
        find_speech: bool,
        gap_seconds: float = 0.0,
    ) -> None:
        self.num_samples = 0
        self.speech = 0.0
        self._blocks = blocks
        self._max_seconds = max_seconds
        self._gap_seconds = gap_seconds
        self._detector = SpeechDetector() if find_speech else None
        self._peak = 0.0
        self._waiting = np.zeros(0, np.float32)
        self._probabilities = np.zeros(0, np.float32)  # of the frames that wait; the last may have none yet

    def __iter__(self) -> Iterator[Piece]:
        """Give the pieces in order, each as soon as it cannot change any more."""
        for block in self._blocks:
            self.num_samples += len(block)
            self._waiting = np.concatenate([self._waiting, block])
            if len(self._waiting) >= WAIT_SECONDS * SAMPLE_RATE:
                yield from self._cut(is_end=False)
        if len(self._waiting):
            yield from self._cut(is_end=True)

    def _cut(self, *, is_end: bool) -> Iterator[Piece]:
        first = self.num_samples - len(self._waiting)
        segments = self._segments(is_end=is_end)
        done = len(self._waiting)
        if not is_end:
            settled = len(self._waiting) - round(OPEN_SECONDS * SAMPLE_RATE)
            still_open = [segment for segment in segments if segment.end > settled]
            segments = segments[: len(segments) - len(still_open)]
            done = still_open[0].start if still_open else settled
            done -= done % FRAME if self._detector else 0  # which judges whole frames
        for segment in segments:
            samples = self._waiting[segment.start : segment.end]
            if np.abs(samples).max(initial=0.0) >= SILENCE_PEAK:
                yield Piece(first + segment.start, samples.copy())
        self._waiting = self._waiting[done:].copy()
        self._probabilities = self._probabilities[done // FRAME :]

    def _segments(self, *, is_end: bool) -> list[Segment]:
        """Cut what waits; the last segments may still be open."""
        if self._detector is None:
            return cut_at_silences(self._waiting, max_seconds=self._max_seconds)
        new = self._waiting[len(self._probabilities) * FRAME :]
        whole = new if is_end else new[: len(new) - len(new) % FRAME]
        self._peak = max(self._peak, float(np.abs(whole).max(initial=0.0)))
        louder = np.float32(max(1.0, SOFT_PEAK / max(self._peak, SILENCE_PEAK)))
        self._probabilities = np.concatenate([self._probabilities, self._detector(whole * louder)])
        self.speech = max(self.speech, float(self._probabilities.max(initial=0.0)))
        spoken = speech_segments(self._probabilities, len(self._waiting))
        return [
            Segment(group.start + cut.start, group.start + cut.end)
            for group in _joined(spoken, gap_seconds=self._gap_seconds, max_seconds=self._max_seconds)
            for cut in cut_at_silences(self._waiting[group.start : group.end], max_seconds=self._max_seconds)
        ]


def _joined(segments: list[Segment], *, gap_seconds: float, max_seconds: float) -> list[Segment]:
    """Join neighbours across short pauses, as long as they fit into one piece."""
    joined: list[Segment] = []
    for segment in segments:
        if (
            joined
            and segment.start - joined[-1].end <= gap_seconds * SAMPLE_RATE
            and segment.end - joined[-1].start <= max_seconds * SAMPLE_RATE
        ):
            joined[-1] = Segment(joined[-1].start, segment.end)
        else:
            joined.append(segment)
    return joined
