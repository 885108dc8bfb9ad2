"""A transcript in JSON, as `asr-s2s transcribe --format json` writes it: one recording with its segments."""

import json
from pathlib import Path

from asr_s2s.errors import ScoringError
from asr_s2s.scoring.sources.records import decoded, opened
from asr_s2s.scoring.sources.source import HeldSource, Text


def transcript_file(path: Path) -> HeldSource:
    """Read the recording's text, named by its file; segments, words and flags are labels. Raises ScoringError."""
    with opened(path) as file:
        content = decoded(file.read(), path, 0)
    try:
        document = json.loads(content)
        text = " ".join(segment["text"].strip() for segment in document["segments"] if segment["text"].strip())
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ScoringError(
            f"{path}: is neither a manifest (an object a line) nor a transcript ({error}). Write a transcript with "
            "'asr-s2s transcribe --format json'."
        ) from error
    words = [word for segment in document["segments"] for word in segment.get("words", ())]
    labels = {name: value for name, value in document.items() if name not in ("version", "text")} | {"words": words}
    return HeldSource(str(path), [Text(path.stem, text, labels)], path)
