"""What was recognised in one recording: segments with their words, times, confidence and flags."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Any

from asr_s2s import transcripts  # whose formats are asked for when they are needed: they import this module
from asr_s2s.errors import Damage, TranscriptError, counted
from asr_s2s.files import write_text
from asr_s2s.manifest import Word

SHOWN = 60  # characters of a text in a repr


@dataclass(frozen=True, slots=True, repr=False)
class Segment:
    """A stretch of a recording and what was said in it; times are seconds in the file.

    flags: name -> the measured value that raised it, such as {"loop": 4.0}; empty when nothing looks wrong
    repaired: what a first search showed there, whose text was replaced by that of a second one with safer settings
    speaker: who speaks, if that is known: the name of the channel, say
    channel: the number of the channel that it was recognised in, counted from 1; None for a mix of all
    language: the code of the one that it was recognised in, where the model knows several; language_probability: how
        sure the model was of it, None where it was given
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
    language: str | None = None
    language_probability: float | None = None

    def __repr__(self) -> str:
        """Show the beginning of the text, and how much there is."""
        about = [f"{self.start:.2f} to {self.end:.2f} s", _shown(self.text), counted(len(self.words), "word")]
        return f"Segment({', '.join([*about, *self.flags])})"

    def later(self, seconds: float) -> "Segment":
        """Move it and its words in time."""
        if not seconds:
            return self
        words = tuple(replace(word, start=word.start + seconds, end=word.end + seconds) for word in self.words)
        return replace(self, start=self.start + seconds, end=self.end + seconds, words=words)


@dataclass(frozen=True, slots=True, repr=False)
class Transcript:
    """The segments of one recording, in the order of time.

    duration: seconds of the whole recording
    language, language_probability: of most of it, see Segment
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
    language_probability: float | None = None

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

    def __repr__(self) -> str:
        """Show the beginning of the text, and how much there is."""
        sure = [] if self.confidence is None else [f"confidence {self.confidence:.2f}"]
        about = [_shown(self.text), f"{self.duration:.1f} s", counted(len(self.segments), "segment")]
        return f"Transcript({', '.join([*about, *sure, *self.flags])})"

    def _repr_html_(self) -> str:
        """Show a notebook the text, its doubtful words coloured, and a player."""
        return transcripts.notebook.fragment(self)

    def save(self, path: str | PathLike[str], *, embed_audio: bool = False) -> None:
        """Write the file, whole or not at all, in the format that its suffix names: .txt, .json, .srt, .vtt, .html ...

        embed_audio: put the recording into an .html page, instead of a link to it
        Raises TranscriptError for another suffix, OSError for a file that cannot be written.
        """
        path = Path(path)
        suffixes = {one.suffix.lower(): name for name, one in transcripts.FORMATS.items()}
        fitting = [suffix for suffix in suffixes if path.name.lower().endswith(suffix)]
        if not fitting:
            raise TranscriptError(f"{path}: no format has this suffix. Use one of {', '.join(suffixes)}.")
        name = suffixes[max(fitting, key=len)]
        captions = transcripts.shaped(self, transcripts.CaptionShape()) if name in transcripts.CAPTIONS else None
        text = transcripts.content(name, self, captions=captions, folder=path.parent, embed_audio=embed_audio)
        write_text(path, text)

    def to_srt(self, *, max_line_width: int = 42, max_line_count: int = 2) -> str:
        """Return SubRip captions; max_line_width: columns of a line, of which wide characters take two."""
        return transcripts.srt.write(self._captions(max_line_width, max_line_count))

    def to_vtt(self, *, max_line_width: int = 42, max_line_count: int = 2, highlight_words: bool = False) -> str:
        """Return WebVTT captions; highlight_words: let players show which words are spoken."""
        captions = self._captions(max_line_width, max_line_count)
        return transcripts.vtt.write(captions, highlight_words=highlight_words)

    def to_dict(self) -> dict[str, Any]:
        """Return what a .json file holds, as plain lists and dictionaries."""
        return transcripts.json.document_of(self).model_dump(mode="json")

    def _captions(self, width: int, count: int) -> "Transcript":
        shape = transcripts.CaptionShape(max_line_width=width, max_line_count=count)
        return transcripts.shaped(self, shape)


def _shown(text: str) -> str:
    return repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}...")
