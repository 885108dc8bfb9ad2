"""Tab-separated lines as Whisper's command writes them: start and end in milliseconds, then the text."""

from asr_s2s.errors import TranscriptError
from asr_s2s.transcripts.captions import one_line
from asr_s2s.transcripts.names import named
from asr_s2s.transcripts.transcript import Segment, Transcript

suffix = ".tsv"

HEADER = "start\tend\ttext"


def write(transcript: Transcript) -> str:
    """Write a line for each segment that holds text."""
    lines = [
        f"{round(segment.start * 1000)}\t{round(segment.end * 1000)}\t{text}"
        for segment in named(transcript, everywhere=True).segments
        if (text := one_line(segment.text))
    ]
    return "".join(f"{line}\n" for line in [HEADER, *lines])


def read(text: str, *, origin: str = "transcript") -> Transcript:
    """Read each line as a segment. Raises TranscriptError for one without two times."""
    header, _, rest = text.removeprefix("\ufeff").partition("\n")
    if header.strip() != HEADER:
        raise TranscriptError(f"{origin}:1: begins with {header!r}. The first line must be 'start', 'end' and 'text'.")
    segments = tuple(
        _segment(line, origin=f"{origin}:{number}")
        for number, line in enumerate(rest.split("\n"), start=2)
        if line.strip()
    )
    return Transcript(segments, duration=max((segment.end for segment in segments), default=0.0))


def _segment(line: str, *, origin: str) -> Segment:
    start, end, text = [*line.split("\t", 2), "", ""][:3]
    if not (start.strip().isdecimal() and end.strip().isdecimal()):
        raise TranscriptError(f"{origin}: {line!r} has no two times. Write start and end in milliseconds and the text.")
    return Segment(int(start) / 1000, int(end) / 1000, one_line(text))
