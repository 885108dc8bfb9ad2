"""The segment list of the CHiME challenges and of meeteval: JSON, an object for each segment."""

import json
from typing import Annotated

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from asr_s2s.errors import TranscriptError
from asr_s2s.transcripts.captions import one_line
from asr_s2s.transcripts.json import Language, LanguageProbability, rounded
from asr_s2s.transcripts.names import SPEAKER, recording_name, speaker_name
from asr_s2s.transcripts.transcript import Segment, Transcript

suffix = ".seglst.json"


class _Line(BaseModel):
    session_id: str
    speaker: str = SPEAKER
    start_time: Annotated[float, Field(ge=0)] = 0.0
    end_time: Annotated[float, Field(ge=0)] = 0.0
    words: str
    pred_language: Language = None
    pred_language_probability: LanguageProbability = None


LINES = TypeAdapter(list[_Line])


def write(transcript: Transcript) -> str:
    """Write an object for each segment that holds text."""
    name = recording_name(transcript)
    lines = [
        {
            "session_id": name,
            "speaker": speaker_name(segment),
            "start_time": round(segment.start, 3),
            "end_time": round(segment.end, 3),
            "words": text,
        }
        | _language(segment)
        for segment in transcript.segments
        if (text := one_line(segment.text))
    ]
    return json.dumps(lines, ensure_ascii=False, indent=1) + "\n"


def _language(segment: Segment) -> dict[str, str | float]:
    """Return the language that a segment was recognised in, if it is known, and its probability."""
    found = {"pred_language": segment.language, "pred_language_probability": rounded(segment.language_probability)}
    return {name: value for name, value in found.items() if value is not None}


def read(text: str, *, origin: str = "transcript") -> Transcript:
    """Read each object as a segment. Raises TranscriptError for what is no such list."""
    try:
        lines = LINES.validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise TranscriptError(
            f"{origin}: {place or 'it'}: {first['msg']}. Write a list of objects with session_id, speaker, start_time, "
            "end_time and words."
        ) from error
    segments = tuple(
        Segment(
            line.start_time,
            line.end_time,
            one_line(line.words),
            language=line.pred_language,
            language_probability=line.pred_language_probability,
        )
        for line in lines
    )
    return Transcript(segments, duration=max((segment.end for segment in segments), default=0.0))
