"""An utterance as the code holds it, and as an object on a manifest's line."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Word:
    """A word with its times.

    start, end: seconds in the file
    probability: that the recognised word is right, from 0 to 1; None where nothing recognised it
    """

    word: str
    start: float
    end: float
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Utterance:
    """One line of a manifest.

    id: names the utterance, once in a manifest
    audio_path: joined with the manifest's folder
    text: what was said; pred_text: what was recognised
    offset, duration: seconds, the part of the recording that is meant; None: to its end
    words: with their times
    extra: every other key of the line, kept as it is
    origin: "file:line", for messages
    """

    id: str
    audio_path: Path
    text: str | None = None
    pred_text: str | None = None
    duration: float | None = None
    offset: float = 0.0
    words: tuple[Word, ...] | None = None
    speaker: str | None = None
    language: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    origin: str = field(default="", compare=False)


def utterance_to_json(utterance: Utterance, *, folder: Path) -> dict[str, Any]:
    """Return the object that stands on an utterance's line in a manifest of that folder; absent values have no key."""
    known = {
        "id": utterance.id,
        "audio_filepath": relative_path(utterance.audio_path, folder),
        "offset": utterance.offset or None,
        "duration": utterance.duration,
        "text": utterance.text,
        "pred_text": utterance.pred_text,
        "words": None if utterance.words is None else [_word_to_json(word) for word in utterance.words],
        "speaker": utterance.speaker,
        "language": utterance.language,
    }
    present = {key: value for key, value in known.items() if value is not None}
    return present | {key: value for key, value in utterance.extra.items() if key not in known}


def _word_to_json(word: Word) -> dict[str, Any]:
    timed = {"word": word.word, "start": word.start, "end": word.end}
    return timed if word.probability is None else timed | {"probability": word.probability}


def relative_path(audio_path: Path, folder: Path) -> str:
    """Word an audio path as seen from the folder, by the names the user gave where they lie below it."""
    lexical = os.path.relpath(audio_path, folder)
    if not lexical.startswith(os.pardir):
        return lexical
    # The system follows '..' from where a linked folder really is, so the way up is reckoned from there.
    return os.path.relpath(Path(os.path.realpath(audio_path.parent), audio_path.name), os.path.realpath(folder))
