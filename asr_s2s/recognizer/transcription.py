"""A recording on its way through the recogniser."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice, takewhile

from asr_s2s.audio import Findings
from asr_s2s.errors import AudioError
from asr_s2s.files import printable
from asr_s2s.recognizer.batcher import PieceResult
from asr_s2s.recognizer.model import ReadyModel
from asr_s2s.recognizer.segmenter import SpokenLanguage
from asr_s2s.recognizer.source import AudioSource
from asr_s2s.transcripts import Segment, Transcript


@dataclass(frozen=True)
class TranscriptionProgress:
    """What is new of one recording.

    segments: those recognised since the last report, in the order of time
    seconds: of the recording that are recognised so far; duration: its seconds as far as they are known
    """

    source: AudioSource
    segments: Sequence[Segment]
    seconds: float
    duration: float | None


OnProgress = Callable[[TranscriptionProgress], None]


@dataclass(eq=False)
class Transcription:
    """A recording on its way: how many pieces it has so far, and what became of them.

    results: of the first pieces, in the order of time; others were not submitted yet
    """

    source: AudioSource
    num_pieces: int = 0
    results: list[PieceResult] = field(default_factory=list)
    is_read: bool = False  # all its pieces are known
    duration: float | None = None  # seconds, once it was read to its end
    speech: float | None = None  # the highest probability of speech in it, once it was read to its end
    language: SpokenLanguage | None = None  # once it was decided for the whole
    error: AudioError | None = None
    findings: Findings = field(init=False)  # damage, and choices that were made
    _num_taken: int = 0

    def __post_init__(self) -> None:
        self.findings = Findings(self.source.name, strict=self.source.strict)

    @property
    def is_done(self) -> bool:
        """Whether all that could be read was recognised."""
        return self.is_read and len(self.results) == self.num_pieces and all(one.done() for one in self.results)

    def progress(self) -> TranscriptionProgress:
        """Return what is new since the last call."""
        new = self.new_segments()
        seconds = new[-1].end - self.source.offset if new else 0.0
        return TranscriptionProgress(self.source, new, seconds, self.duration or self.findings.stated_duration)

    def new_segments(self) -> list[Segment]:
        """Return the segments that were recognised since the last call, as far as all before them are there."""
        new = list(takewhile(PieceResult.done, islice(self.results, self._num_taken, None)))
        self._num_taken += len(new)
        return self._segments(new)

    def transcript(self, model: ReadyModel) -> Transcript:
        """Return the whole, once it is done and free of error."""
        assert self.duration is not None, "it was read to the end"
        segments = self._segments(self.results)
        if not segments and self.speech is not None:
            start = self.source.offset
            silent = {"no_speech": 1.0 - self.speech}
            segments = [Segment(start=start, end=start + self.duration, text="", flags=silent)]
        language, probability = _main_language(segments)
        return Transcript(
            segments=tuple(segments),
            language=language,
            language_probability=probability,
            duration=self.duration,
            audio_path=printable(self.source.path) if self.source.path else None,
            model=model.name,
            time_source=model.time_source if any(segment.words for segment in segments) else None,
            damage=tuple(self.findings.damage),
            notes=self.findings.notes,
        )

    def _segments(self, results: list[PieceResult]) -> list[Segment]:
        return [segment.later(self.source.offset) for result in results for segment in result.result()]


def _main_language(segments: Sequence[Segment]) -> tuple[str | None, float | None]:
    """Return the language of most seconds, and its mean probability, where it was detected."""
    seconds: dict[str, float] = {}
    for segment in segments:
        if segment.language is not None:
            seconds[segment.language] = seconds.get(segment.language, 0.0) + segment.end - segment.start
    if not seconds:
        return None, None
    language = max(seconds, key=seconds.__getitem__)
    own = [each for each in segments if each.language == language]
    weighted = [
        (each.end - each.start) * each.language_probability for each in own if each.language_probability is not None
    ]
    return language, sum(weighted) / seconds[language] if weighted and seconds[language] else None
