"""Plain text: a line for each segment that holds text. Times, words and flags are left out."""

from asr_s2s.transcripts.captions import one_line
from asr_s2s.transcripts.names import named
from asr_s2s.transcripts.transcript import Segment, Transcript

suffix = ".txt"


def write(transcript: Transcript) -> str:
    """Write a line for each segment with text, with single spaces, after the speaker's name where several speak."""
    lines = [one_line(segment.text) for segment in named(transcript, everywhere=True).segments]
    return "".join(f"{line}\n" for line in lines if line)


def read(text: str, *, origin: str = "transcript") -> Transcript:  # noqa: ARG001 - any text is a plain text
    """Read each line with text as a segment; the times are unknown and stand at 0."""
    lines = [one_line(line) for line in text.splitlines()]
    return Transcript(tuple(Segment(0.0, 0.0, line) for line in lines if line), duration=0.0)
