"""One recording in a file: a transcript as `asr-s2s transcribe` writes it, or plain text on any number of lines."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from asr_s2s.errors import ScoringError
from asr_s2s.inputs import InputFile
from asr_s2s.manifest import unique_keys
from asr_s2s.scoring.sources.records import whole_text
from asr_s2s.scoring.sources.source import MemorySource, Text
from asr_s2s.transcripts import FORMATS, Transcript, TranscriptError
from asr_s2s.transcripts.captions import TIME_LINE
from asr_s2s.transcripts.jsonl import manifest_fields, segment_fields

SUFFIXES = {".srt": "srt", ".vtt": "vtt", ".textgrid": "textgrid", ".html": "html", ".json": "json"}


def transcript_file(file: InputFile) -> MemorySource:
    """Read the recording's text, named by its file; segments, words and flags are labels. Raises ScoringError."""
    content = whole_text(file)
    kind = SUFFIXES.get(file.path.suffix.lower()) or kind_of(content.split("\n")) or "json"
    if kind == "json":
        return _whole(file, *_json(file, content))
    try:
        transcript = FORMATS[kind].read(content, origin=str(file.path))
    except TranscriptError as error:
        raise ScoringError(str(error)) from error
    return _whole(file, transcript.text, _labels(transcript))


def text_file(file: InputFile) -> MemorySource:
    """Read all lines as one text, named by its file. Raises ScoringError."""
    text = " ".join(whole_text(file).split())
    return _whole(file, text, {})


def kind_of(lines: Sequence[str]) -> str | None:
    """Detect a transcript's format from its first lines; None for what has none of these forms, JSON too."""
    lines = [line.rstrip() for line in lines[:2]]
    first = lines[0].strip().removeprefix("\ufeff") if lines else ""
    if first.startswith("WEBVTT"):
        return "vtt"
    if first.lower().startswith("<!doctype html"):
        return "html"
    if "ooTextFile" in first:
        return "textgrid"
    if first.split("\t") == ["start", "end", "text"]:
        return "tsv"
    return "srt" if any(map(TIME_LINE.fullmatch, lines)) else None


def _whole(file: InputFile, text: str, labels: Mapping[str, Any]) -> MemorySource:
    return MemorySource(str(file.path), [Text(file.path.stem, text, labels)], file, by="recording")


def _labels(transcript: Transcript) -> dict[str, Any]:
    words = manifest_fields(transcript).get("words", [])
    return {"duration": transcript.duration, "segments": segment_fields(transcript), "words": words}


def _json(file: InputFile, content: str) -> tuple[str, dict[str, Any]]:
    try:
        document = json.loads(content, object_pairs_hook=unique_keys)
        segments: Sequence[dict[str, Any]] = document["segments"]
        text = " ".join(segment["text"].strip() for segment in segments if segment["text"].strip())
        words = [word for segment in segments for word in segment.get("words") or ()]
        said = document.get("text", text).split()
    except KeyError as error:
        raise ScoringError(
            f"{file.path}: is neither a manifest (an object a line) nor a transcript: {error} is missing. Write a "
            "transcript with 'asr-s2s transcribe --format json', or give the text alone as plain lines."
        ) from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        reason = error if isinstance(error, ValueError) else "no object with segments"
        raise ScoringError(
            f"{file.path}: is neither a manifest (an object a line) nor a transcript ({reason}). Write a transcript "
            "with 'asr-s2s transcribe --format json'."
        ) from error
    if "".join(said) != "".join(text.split()):
        raise ScoringError(
            f"{file.path}: 'text' holds {len(said)} words and the segments {len(text.split())}, and they differ. "
            "Correct one of them, or remove 'text' to score the segments."
        )
    return text, {name: value for name, value in document.items() if name not in ("version", "text")} | {"words": words}
