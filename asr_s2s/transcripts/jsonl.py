"""A transcript as one line of a manifest: pred_text with its evidence. Segments are joined to one."""

from json import dumps
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from asr_s2s.manifest.utterance import relative_path
from asr_s2s.transcripts.json import (
    Damages,
    Flags,
    Language,
    LanguageProbability,
    Notes,
    Seconds,
    Share,
    WordDocument,
    damage_document,
    damage_of,
    parsed,
    rounded,
    word_document,
    word_of,
)
from asr_s2s.transcripts.transcript import Segment, Transcript

suffix = ".jsonl"


class LineDocument(BaseModel):
    """The keys of a manifest line that describe what was recognised; others belong to the manifest."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    audio_filepath: str | None = None
    duration: Seconds
    pred_text: str
    confidence: Share | None = None
    flags: Flags = {}
    words: tuple[WordDocument, ...] = ()
    pred_language: Language = None
    pred_language_probability: LanguageProbability = None
    model: str = ""
    time_source: str | None = None
    damage: Damages = ()
    notes: Notes = ()


def manifest_fields(transcript: Transcript) -> dict[str, Any]:
    """Return the keys that a transcript adds to its manifest line; what is unknown is left out."""
    fields = {
        "pred_text": transcript.text,
        "confidence": rounded(transcript.confidence),
        "flags": transcript.flags,
        "words": [word_document(word).model_dump(exclude_none=True) for word in transcript.words] or None,
        "pred_language": transcript.language,
        "pred_language_probability": rounded(transcript.language_probability),
        "model": transcript.model or None,
        "time_source": transcript.time_source,
        "damage": [damage_document(damage).model_dump() for damage in transcript.damage] or None,
        "notes": list(transcript.notes) or None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def segment_fields(transcript: Transcript) -> list[dict[str, Any]]:
    """Return each segment without its words, for a line that holds all words once; the JSON format's names."""
    return [
        {
            "start": round(segment.start, 3),
            "end": round(segment.end, 3),
            "text": segment.text,
            "flags": dict(segment.flags),
        }
        for segment in transcript.segments
    ]


def write(transcript: Transcript, *, folder: Path | None = None) -> str:
    """Write one line; an array without a file gives a line without audio_filepath.

    folder: where the manifest will lie, from which the path of the audio is given
    """
    path = transcript.audio_path
    path = relative_path(Path(path), folder) if path is not None and folder is not None else path
    about = {"audio_filepath": path, "duration": round(transcript.duration, 3)}
    line = {name: value for name, value in about.items() if value is not None} | manifest_fields(transcript)
    return dumps(line, ensure_ascii=False) + "\n"


def read(text: str, *, origin: str = "transcript") -> Transcript:
    """Read one line as a transcript of one segment that spans the recording; none where the line tells of nothing.

    Raises TranscriptError when the text is not one manifest line with pred_text.
    """
    document = parsed(LineDocument, text.strip(), origin=origin)
    segment = Segment(
        0.0,
        document.duration,
        document.pred_text,
        words=tuple(word_of(word) for word in document.words),
        confidence=document.confidence,
        flags=document.flags,
    )
    tells = document.pred_text or document.words or document.flags or document.confidence is not None
    return Transcript(
        (segment,) if tells else (),
        duration=document.duration,
        audio_path=document.audio_filepath,
        language=document.pred_language,
        language_probability=document.pred_language_probability,
        model=document.model,
        time_source=document.time_source,
        damage=tuple(damage_of(damage) for damage in document.damage),
        notes=document.notes,
    )
