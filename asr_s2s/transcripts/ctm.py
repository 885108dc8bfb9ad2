"""NIST's time-marked conversation format: a word a line, with its times and confidence; what sclite scores by time.

NIST, sctk's doc/infmts.htm, "ctm".
"""

from collections.abc import Iterator

from asr_s2s.errors import TranscriptError
from asr_s2s.manifest import Word
from asr_s2s.transcripts.names import channel_name, recording_name
from asr_s2s.transcripts.transcript import Segment, Transcript

suffix = ".ctm"

LEAST_COLUMNS = 5


def write(transcript: Transcript) -> str:
    """Write a line for each word: recording, channel, start, duration, word, confidence.

    Raises TranscriptError for a segment with a text and no word times.
    """
    name = recording_name(transcript)
    return "".join(
        f"{name} {channel_name(segment)} {line}\n" for segment in transcript.segments for line in _lines(segment)
    )


def _lines(segment: Segment) -> Iterator[str]:
    if segment.text.strip() and not segment.words:
        raise TranscriptError(
            f"{segment.text[:40]!r} has no word times, which ctm is made of. Choose another format or model."
        )
    for word in segment.words:
        text = "_".join(word.word.split())
        if text:
            sure = "" if word.probability is None else f" {word.probability:.3f}"
            yield f"{word.start:.3f} {word.end - word.start:.3f} {text}{sure}"


def read(text: str, *, origin: str = "transcript") -> Transcript:
    """Read all words as one segment. Raises TranscriptError for a line without word and times."""
    words = tuple(
        _word(line.split(), origin=f"{origin}:{number}")
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.startswith(";;")
    )
    if not words:
        return Transcript((), duration=0.0)
    end = max(word.end for word in words)
    whole = Segment(min(word.start for word in words), end, " ".join(word.word for word in words), words)
    return Transcript((whole,), duration=end)


def _word(columns: list[str], *, origin: str) -> Word:
    try:
        start, length = float(columns[2]), float(columns[3])
        sure = float(columns[5]) if len(columns) > LEAST_COLUMNS else None
        return Word(columns[4], round(start, 3), round(start + length, 3), sure)
    except (IndexError, ValueError) as error:
        raise TranscriptError(
            f"{origin}: {' '.join(columns)!r} is no word of a ctm file. "
            "Write recording, channel, start, duration and word, and its confidence if it is known."
        ) from error
