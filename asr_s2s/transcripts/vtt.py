"""WebVTT captions (W3C 2019): a block for each segment that holds text, with &, < and > written as entities."""

import html
import re
from dataclasses import replace

from asr_s2s.errors import TranscriptError
from asr_s2s.transcripts.captions import blocks, clock, lines_of, one_line, segment_of
from asr_s2s.transcripts.names import named
from asr_s2s.transcripts.transcript import Segment, Transcript

suffix = ".vtt"

HEADER = "WEBVTT"
NOT_CAPTIONS = ("NOTE", "STYLE", "REGION")
TAG = re.compile(r"<[^>]*>")
NOT_YET_SAID = "STYLE\n::cue(:future) { opacity: 0.6 }\n"


def write(transcript: Transcript, *, highlight_words: bool = False) -> str:
    """Write a caption for each segment with text, in the lines that it has, times rounded to milliseconds.

    highlight_words: let players show which words are not yet said, by a time before each word (W3C 2019, section 4.2.2)
    """
    captions = [
        f"{clock(segment.start, point='.')} --> {clock(segment.end, point='.')}\n"
        f"{_timed(text, segment) if highlight_words else _escaped(text)}\n"
        for segment in named(transcript).segments
        if (text := lines_of(segment.text))
    ]
    return "\n".join([f"{HEADER}\n", *([NOT_YET_SAID] if highlight_words else []), *captions])


def _escaped(text: str) -> str:
    return html.escape(text, quote=False)


def _timed(text: str, segment: Segment) -> str:
    """Put times before the words of a text, if they are the segment's words; only times within it and rising count."""
    parts = re.split(r"(\s+)", text)
    if parts[::2] != [word.word for word in segment.words]:
        return _escaped(text)
    before = segment.start
    for place, word in enumerate(segment.words):
        parts[2 * place] = _escaped(word.word)
        if before < round(word.start, 3) < segment.end:
            parts[2 * place] = f"<{clock(word.start, point='.')}>{parts[2 * place]}"
            before = round(word.start, 3)
    return "".join(parts)


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
