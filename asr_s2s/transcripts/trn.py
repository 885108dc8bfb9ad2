"""NIST's transcripts: the text of a recording on one line, its name in brackets at the end.

NIST, sctk's doc/infmts.htm, "trn".
"""

import re

from asr_s2s.errors import TranscriptError
from asr_s2s.transcripts.captions import one_line
from asr_s2s.transcripts.names import recording_name
from asr_s2s.transcripts.transcript import Segment, Transcript

suffix = ".trn"

LINE = re.compile(r"(?P<text>.*?)\s*\((?P<name>[^()]*)\)\s*")


def write(transcript: Transcript) -> str:
    """Write the whole text on a line."""
    return f"{one_line(transcript.text)} ({recording_name(transcript)}{_channel(transcript)})\n".lstrip(" ")


def _channel(transcript: Transcript) -> str:
    """Tell the channels of a recording apart, each of which has a text of its own."""
    channels = {segment.channel for segment in transcript.segments}
    return f"-{channels.pop()}" if len(channels) == 1 and None not in channels else ""


def read(text: str, *, origin: str = "transcript") -> Transcript:
    """Read each line with text as a segment; the times are unknown and stand at 0.

    Raises TranscriptError for a line without a name.
    """
    segments = []
    for number, line in enumerate(text.split("\n"), start=1):
        found = LINE.fullmatch(line)
        if line.strip() and found is None:
            raise TranscriptError(f"{origin}:{number}: {line!r} ends without a name in brackets. Add '(name)'.")
        if found and one_line(found["text"]):
            segments.append(Segment(0.0, 0.0, one_line(found["text"])))
    return Transcript(tuple(segments), duration=0.0)
