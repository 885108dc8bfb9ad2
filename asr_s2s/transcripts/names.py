"""What a recording and its speakers are called in the files of a transcript."""

import re
from dataclasses import replace
from pathlib import Path

from asr_s2s.manifest import Word
from asr_s2s.transcripts.transcript import Segment, Transcript

UNNAMED = "audio"
CHANNEL = "1"
SPEAKER = "unknown"


def recording_name(transcript: Transcript) -> str:
    """Return the audio file's name without its suffix, white space and brackets as underscores."""
    stem = Path(transcript.audio_path).stem if transcript.audio_path else ""
    return _column(stem) or UNNAMED


def channel_name(segment: Segment) -> str:
    """Return the number of the segment's channel, 1 where all were mixed."""
    return CHANNEL if segment.channel is None else str(segment.channel)


def speaker_name(segment: Segment) -> str:
    """Give who speaks, white space and brackets as underscores."""
    return _column(segment.speaker or "") or SPEAKER


def named(transcript: Transcript, *, everywhere: bool = False) -> Transcript:
    """Put a speaker's name before the text where another begins to speak; nothing is put where one speaks alone.

    everywhere: before the text of each segment
    """
    if len({segment.speaker for segment in transcript.segments} - {None}) < 2:
        return transcript
    segments: list[Segment] = []
    before = None
    for segment in transcript.segments:
        begins = bool(segment.text.strip() and segment.speaker) and (everywhere or segment.speaker != before)
        before = segment.speaker if segment.text.strip() else before
        segments.append(_with_name(segment) if begins else segment)
    return replace(transcript, segments=tuple(segments))


def _with_name(segment: Segment) -> Segment:
    """Put the name before a text that does not begin with it yet."""
    name = f"{segment.speaker}:"
    if segment.text.startswith(f"{name} "):
        return segment
    start = segment.words[0].start if segment.words else segment.start
    words = tuple(Word(part, start, start) for part in name.split()) if segment.words else ()
    return replace(segment, text=f"{name} {segment.text}", words=(*words, *segment.words))


def _column(name: str) -> str:
    return re.sub(r"[\s()]+", "_", name)
