"""What was recognised in one recording: segments with their words, times, confidence and flags."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from asr_s2s.errors import Damage
from asr_s2s.manifest import Word


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a recording and what was said in it; times are seconds in the file.

    flags: name -> the measured value that raised it, such as {"loop": 4.0}; empty when nothing looks wrong
    repaired: what a first search showed there, whose text was replaced by that of a second one with safer settings
    speaker: who speaks, if that is known: the name of the channel, say
    channel: the number of the channel that it was recognised in, counted from 1; None for a mix of all
    """

    start: float
    end: float
    text: str
    words: tuple[Word, ...] = ()
    confidence: float | None = None
    flags: Mapping[str, float] = field(default_factory=dict)
    repaired: Mapping[str, float] = field(default_factory=dict)
    speaker: str | None = None
    channel: int | None = None

    def later(self, seconds: float) -> "Segment":
        """Move it and its words in time."""
        if not seconds:
            return self
        words = tuple(replace(word, start=word.start + seconds, end=word.end + seconds) for word in self.words)
        return replace(self, start=self.start + seconds, end=self.end + seconds, words=words)


@dataclass(frozen=True, slots=True)
class Transcript:
    """The segments of one recording, in the order of time.

    duration: seconds of the whole recording
    model: the name of the model that recognised it
    time_source: what the words' times were read from, such as "attention"; None where there are none
    damage: stretches of the recording that could not be read; what can be read is transcribed
    notes: what was chosen while it was read, such as one of several sound tracks
    """

    segments: tuple[Segment, ...]
    duration: float
    audio_path: str | None = None
    language: str | None = None
    model: str = ""
    time_source: str | None = None
    damage: tuple[Damage, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Join the texts of the segments that hold any."""
        return " ".join(stripped for segment in self.segments if (stripped := segment.text.strip()))

    @property
    def words(self) -> tuple[Word, ...]:
        """List the words of all segments."""
        return tuple(word for segment in self.segments for word in segment.words)

    @property
    def confidence(self) -> float | None:
        """Average the segments' confidences, each weighted by its characters; None where no segment has one."""
        weighted = [
            (max(len(segment.text), 1), segment.confidence)
            for segment in self.segments
            if segment.confidence is not None
        ]
        if not weighted:
            return None
        return sum(weight * value for weight, value in weighted) / sum(weight for weight, _ in weighted)

    @property
    def flags(self) -> dict[str, float]:
        """Join the segments' flags; of several values the worst is kept: the lowest confidence, the most of others."""
        joined: dict[str, float] = {}
        for segment in self.segments:
            for name, value in segment.flags.items():
                worst = min if name == "low_confidence" else max
                joined[name] = worst(joined.get(name, value), value)
        return joined
