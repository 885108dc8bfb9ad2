"""A transcript in JSON, as `asr-s2s transcribe --format json` writes it: one recording with its segments."""

import json
from collections.abc import Sequence
from typing import Any

from asr_s2s.errors import ScoringError
from asr_s2s.inputs import InputFile
from asr_s2s.manifest import unique_keys
from asr_s2s.scoring.sources.records import whole_text
from asr_s2s.scoring.sources.source import MemorySource, Text


def transcript_file(file: InputFile) -> MemorySource:
    """Read the recording's text, named by its file; segments, words and flags are labels. Raises ScoringError."""
    content = whole_text(file)
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
        raise ScoringError(
            f"{file.path}: is neither a manifest (an object a line) nor a transcript ({error}). Write a transcript "
            "with 'asr-s2s transcribe --format json'."
        ) from error
    if "".join(said) != "".join(text.split()):
        raise ScoringError(
            f"{file.path}: 'text' holds {len(said)} words and the segments {len(text.split())}, and they differ. "
            "Correct one of them, or remove 'text' to score the segments."
        )
    labels = {name: value for name, value in document.items() if name not in ("version", "text")} | {"words": words}
    return MemorySource(str(file.path), [Text(file.path.stem, text, labels)], file)
