"""SubRip captions: a numbered block for each segment that holds text."""

from asr_s2s.transcripts.captions import blocks, clock, lines_of, segment_of
from asr_s2s.transcripts.names import named
from asr_s2s.transcripts.transcript import Transcript

suffix = ".srt"


def write(transcript: Transcript) -> str:
    """Write a caption for each segment with text, in the lines that it has, times rounded to milliseconds."""
    spoken = [(segment, text) for segment in named(transcript).segments if (text := lines_of(segment.text))]
    return "\n".join(
        f"{number}\n{clock(segment.start, point=',')} --> {clock(segment.end, point=',')}\n{text}\n"
        for number, (segment, text) in enumerate(spoken, start=1)
    )


def read(text: str, *, origin: str = "transcript") -> Transcript:
    """Read each caption as a segment; the duration is the end of the last one."""
    segments = tuple(segment_of(block, origin=origin) for block in blocks(text.removeprefix("\ufeff")))
    return Transcript(segments, duration=max((segment.end for segment in segments), default=0.0))
