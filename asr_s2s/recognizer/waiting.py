"""Recordings on their way through the recogniser, and their pieces, which wait to be grouped into batches."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from asr_s2s.audio import SAMPLE_RATE, Findings
from asr_s2s.errors import AudioError
from asr_s2s.recognizer.pieces import Piece
from asr_s2s.recognizer.source import Source
from asr_s2s.transcripts import Segment


@dataclass(eq=False)
class Recording:
    """A recording on its way: how many pieces it has so far, and what was recognised of them by piece number."""

    source: Source
    num_pieces: int = 0
    segments: dict[int, Sequence[Segment]] = field(default_factory=dict)
    duration: float | None = None  # seconds, once it is read to the end
    speech: float | None = None  # the highest probability of speech in it, where it was looked for
    error: AudioError | None = None
    findings: Findings = field(init=False)  # damage, and choices that were made

    def __post_init__(self) -> None:
        self.findings = Findings(self.source.name, strict=self.source.strict)

    @property
    def is_done(self) -> bool:
        """Tell whether all of it was recognised, or an error is all that there will be."""
        return self.error is not None or (self.duration is not None and len(self.segments) == self.num_pieces)


@dataclass(frozen=True)
class Waiting:
    """A piece that waits for its batch."""

    recording: Recording
    number: int
    piece: Piece
    seconds: float  # that it costs: those of its frames, which a padding front end makes more

    @property
    def start(self) -> float:
        """Seconds in the file at which it begins."""
        return self.recording.source.offset + self.piece.start / SAMPLE_RATE

    def cost(self) -> float:
        """Give the seconds of sound that are held in memory."""
        return len(self.piece.samples) / SAMPLE_RATE
