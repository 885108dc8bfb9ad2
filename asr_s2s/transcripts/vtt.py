"""WebVTT captions (W3C 2019): a block for each segment that holds text, with &, < and > written as entities."""

import html
import re
from dataclasses import replace

from asr_s2s.errors import TranscriptError
from asr_s2s.transcripts.captions import blocks, clock, lines_of, one_line, segment_of
from asr_s2s.transcripts.transcript import Transcript

suffix = ".vtt"

HEADER = "WEBVTT"
NOT_CAPTIONS = ("NOTE", "STYLE", "REGION")
TAG = re.compile(r"<[^>]*>")


def write(transcript: Transcript) -> str:
    """Write a caption for each segment with text, in the lines that it has, times rounded to milliseconds."""
    captions = [
        f"{clock(segment.start, point='.')} --> {clock(segment.end, point='.')}\n{html.escape(text, quote=False)}\n"
        for segment in transcript.segments
        if (text := lines_of(segment.text))
    ]
    return "\n".join([f"{HEADER}\n", *captions])


def read(text: str, *, origin: str = "transcript") -> Transcript:
    """Read each caption as a segment without its tags; notes and styles are passed over.

    Raises TranscriptError when the header or a caption's time line is missing.
    """
    text = text.removeprefix("\ufeff")
    if not text.startswith(HEADER):
        raise TranscriptError(f"{origin}:1: is not WebVTT: the first line must begin with {HEADER}. Add that line.")
    _, *bodies = blocks(text)
    captions = [
        segment_of(body, origin=origin)
        for body in bodies
        if not re.match(rf"({'|'.join(NOT_CAPTIONS)})\b", body.lines[0])
    ]
    segments = tuple(replace(caption, text=one_line(html.unescape(TAG.sub("", caption.text)))) for caption in captions)
    return Transcript(segments, duration=max((segment.end for segment in segments), default=0.0))
