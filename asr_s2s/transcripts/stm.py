"""NIST's segment time marks: a segment a line, with its speaker, times and text; what sclite takes as a reference.

NIST, sctk's doc/infmts.htm, "stm".
"""

from asr_s2s.errors import TranscriptError
from asr_s2s.transcripts.captions import one_line
from asr_s2s.transcripts.names import channel_name, recording_name, speaker_name
from asr_s2s.transcripts.transcript import Segment, Transcript

suffix = ".stm"

NO_LABEL = "<NA>"
COLUMNS = 5  # before the text: recording, channel, speaker, start, end


def write(transcript: Transcript) -> str:
    """Write a line for each segment that holds text."""
    name = recording_name(transcript)
    return "".join(
        f"{name} {channel_name(segment)} {speaker_name(segment)} "
        f"{segment.start:.3f} {segment.end:.3f} {NO_LABEL} {text}\n"
        for segment in transcript.segments
        if (text := one_line(segment.text))
    )


def read(text: str, *, origin: str = "transcript") -> Transcript:
    """Read each line as a segment; a label in angle brackets before the text is passed over.

    Raises TranscriptError for a line without times.
    """
    segments = tuple(
        _segment(line, origin=f"{origin}:{number}")
        for number, line in enumerate(text.split("\n"), start=1)
        if line.strip() and not line.startswith(";;")
    )
    return Transcript(segments, duration=max((segment.end for segment in segments), default=0.0))


def _segment(line: str, *, origin: str) -> Segment:
    columns = line.split(None, COLUMNS)
    try:
        start, end = float(columns[3]), float(columns[4])
    except (IndexError, ValueError) as error:
        raise TranscriptError(
            f"{origin}: {line!r} is no segment of an stm file. "
            "Write recording, channel, speaker, start and end in seconds, then the text."
        ) from error
    said = columns[COLUMNS] if len(columns) > COLUMNS else ""
    if said.startswith("<") and said.partition(" ")[0].endswith(">"):
        said = said.partition(" ")[2]
    return Segment(start, end, one_line(said))
