"""The project's one data format: a JSON-lines file with an utterance a line, in NeMo's field names.

Reading checks every line and reports all faults at once; writing keeps what it does not know.
"""

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asr_s2s.errors import ManifestError, listed
from asr_s2s.files import write_text

NUM_FAULTS_SHOWN = 20  # a terminal's screen; the lines beyond are listed by number


@dataclass(frozen=True, slots=True)
class Word:
    """A word with its times in seconds of the file, and how sure the recogniser is of it."""

    word: str
    start: float
    end: float
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Utterance:
    """One line of a manifest; audio_path is joined with the manifest's folder, extra holds every other key."""

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


def read_manifest(path: Path) -> list[Utterance]:
    """Read all utterances in order; blank lines are skipped, `origin` keeps "file:line" for messages.

    Raises ManifestError that lists every broken line and every doubled id.
    """
    utterances, faults = read_usable_lines(path)
    if faults:
        raise ManifestError(_report(path, faults, len(utterances) + len(faults)))
    return utterances


def read_usable_lines(path: Path) -> tuple[list[Utterance], dict[int, list[str]]]:
    """Read the utterances that can be used, and give by its number what is wrong with each other line.

    Raises ManifestError for a file that cannot be read at all.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ManifestError(f"{path}: cannot be read ({error.strerror}). Name an existing manifest.") from error
    if content.split(b"\n", maxsplit=1)[0].strip() in (b"[", b"{"):
        raise ManifestError(f"{path}: holds one JSON value over several lines. Write one object a line.")
    utterances: list[Utterance] = []
    faults: dict[int, list[str]] = {}
    first_line: dict[str, int] = {}
    # Split at \n alone: str.splitlines would also split at U+2028, which JSON strings may hold as it is.
    for number, raw in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not raw.strip():
            continue
        try:
            utterance = _utterance(_parse(raw), folder=path.parent, origin=f"{path}:{number}")
        except _BrokenLineError as error:
            faults[number] = error.faults
            continue
        earlier = first_line.setdefault(utterance.id, number)
        if earlier == number:
            utterances.append(utterance)
        else:
            faults[number] = [f"the id '{utterance.id}' stands on line {earlier} too. Give each line its own 'id'."]
    return utterances, faults


def write_manifest(path: Path, utterances: Iterable[Utterance]) -> None:
    """Write a manifest, whole or not at all; its audio paths are relative to its own folder.

    Raises ManifestError for ids that are doubled: the file could not be read again.
    """
    lines: dict[str, str] = {}
    doubled: list[str] = []
    for utterance in utterances:
        if utterance.id in lines:
            doubled.append(utterance.id)
        record = utterance_to_json(utterance, folder=path.parent)
        lines[utterance.id] = json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n"
    if doubled:
        raise ManifestError(
            f"{path}: is not written: {len(doubled)} ids are doubled: {listed(doubled)}. Give each utterance its own."
        )
    write_text(path, "".join(lines.values()))


def utterance_to_json(utterance: Utterance, *, folder: Path) -> dict[str, Any]:
    """Give the object that stands on an utterance's line in a manifest of that folder; absent values have no key."""
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


def parse_record(line: str) -> dict[str, Any]:
    """Read one line as it stands, for those who need no whole utterance. Raises ManifestError without its place."""
    try:
        return _record(line.strip())
    except _BrokenLineError as error:
        raise ManifestError(" ".join(error.faults)) from error
    except UnicodeError as error:
        raise ManifestError("holds half a surrogate pair. Write whole characters.") from error


def record_id(record: Mapping[str, Any]) -> str:
    """Give the id of a line that was read with parse_record. Raises ManifestError where there is none."""
    name, written, offset = (record.get(key) for key in ("id", "audio_filepath", "offset"))
    if type(name) in (str, int) and name != "":
        return str(name)
    if name is None and isinstance(written, str) and written and isinstance(offset or 0.0, int | float):
        return _path_id(written, offset or 0.0)
    raise ManifestError("has neither an 'id' nor an 'audio_filepath' to name it by. Write one of them as a string.")


def _path_id(written: str, offset: float) -> str:
    return written.removesuffix(Path(written).suffix) + (f"@{round(offset * 1000)}" if offset else "")


class _BrokenLineError(Exception):
    def __init__(self, faults: list[str]) -> None:
        super().__init__(*faults)
        self.faults = faults


def _refuse_constant(name: str) -> None:
    raise _BrokenLineError([f"{name} is not a JSON number. Use null."])


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def _parse(raw: bytes) -> dict[str, Any]:
    try:
        line = raw.decode("utf-8").strip()
        return _record(line)
    except UnicodeError as error:
        raise _BrokenLineError(["is not UTF-8 text. Save the manifest as UTF-8."]) from error


def _record(line: str) -> dict[str, Any]:
    try:
        record = _DECODER.decode(line)
        if "\\ud" in line.lower():
            json.dumps(record, ensure_ascii=False).encode()  # half a surrogate pair could be read but never written
    except json.JSONDecodeError as error:
        raise _BrokenLineError([f"is not valid JSON ({error.msg}, column {error.colno})."]) from error
    except RecursionError as error:
        raise _BrokenLineError(["is nested too deeply. Write one flat object a line."]) from error
    if not isinstance(record, dict):
        raise _BrokenLineError([f"is {_shown(record)}, not an object. Write one {{...}} a line."])
    return record


def _utterance(record: dict[str, Any], *, folder: Path, origin: str) -> Utterance:
    """Check one line and take the known keys out of it; what remains is `extra`."""
    line = _Fields(record)
    written = line.text("audio_filepath", required=True) or ""
    if "\0" in written:
        line.faults.append("'audio_filepath' holds a zero byte. Write the path of a file.")
    offset = line.number("offset", lowest=0) or 0.0
    name = line.text("id", numbers=True)
    if name is None:
        name = _path_id(written, offset)
    elif not name:
        line.faults.append("'id' is empty. Write a name of its own or leave the key out.")
    duration = line.number("duration", lowest=0)
    if duration == 0:
        line.faults.append("'duration' is 0. Write the seconds or leave the key out.")
    utterance = Utterance(
        id=name,
        audio_path=folder / written,
        text=line.text("text"),
        pred_text=line.text("pred_text"),
        duration=duration,
        offset=offset,
        words=line.words(),
        speaker=line.text("speaker", numbers=True),
        language=line.text("language"),
        extra=record,
        origin=origin,
    )
    if line.faults:
        raise _BrokenLineError(line.faults)
    return utterance


class _Fields:
    """Takes checked values out of one object and gathers what is wrong with them."""

    def __init__(self, record: dict[str, Any]) -> None:
        self._record = record
        self.faults: list[str] = []

    def text(self, key: str, *, required: bool = False, numbers: bool = False) -> str | None:
        value = self._record.pop(key, None)
        if isinstance(value, str) and (value or not required):
            return value
        if numbers and type(value) is int:  # LibriSpeech's speakers, and ids counted by a script
            return str(value)
        if value is not None or required:
            what = "is missing" if value is None else f"is {_shown(value)}, not a string"
            self.faults.append(f"'{key}' {what if value != '' else 'is empty'}.")
        return None

    def number(self, key: str, *, lowest: float) -> float | None:
        value = self._record.pop(key, None)
        if value is None:
            return None
        if type(value) not in (int, float) or not math.isfinite(value) or value < lowest:
            self.faults.append(f"'{key}' is {_shown(value)}, not seconds from {lowest} up.")
            return None
        return float(value)

    def words(self) -> tuple[Word, ...] | None:
        value = self._record.pop("words", None)
        if value is None:
            return None
        if not isinstance(value, list):
            self.faults.append(f"'words' is {_shown(value)}, not a list of words with times.")
            return None
        return tuple(self._checked_words(value))

    def _checked_words(self, items: list[Any]) -> Iterator[Word]:
        for index, item in enumerate(items):
            inner = _Fields(dict(item) if isinstance(item, dict) else {})
            word = inner.text("word", required=True) or ""
            start, end = (inner.number(key, lowest=0) for key in ("start", "end"))
            probability = inner.number("probability", lowest=0)
            if start is None or end is None or end < start or inner.faults or (probability or 0.0) > 1:
                self.faults.append(
                    f"words[{index}] is {_shown(item)}, not {{'word': text, 'start': seconds, 'end': seconds from "
                    "start up, and if known 'probability': 0 to 1}."
                )
                return
            yield Word(word, start, end, probability)


def _shown(value: Any, *, limit: int = 60) -> str:
    """Word a JSON value for a message, cut to a readable length."""
    worded = json.dumps(value, ensure_ascii=False)
    return worded if len(worded) <= limit else worded[: limit - 3] + "..."


def _report(path: Path, faults: dict[int, list[str]], num_lines: int) -> str:
    """Word all faults: the first lines in full, every line by its number."""
    shown = [f"{path}:{number}: {' '.join(faults[number])}" for number in list(faults)[:NUM_FAULTS_SHOWN]]
    beyond = list(faults)[NUM_FAULTS_SHOWN:]
    rest = [f"and lines {_ranges(beyond)}"] if beyond else []
    head = f"{path}: {len(faults)} of {num_lines} lines cannot be used. Mend them; nothing was read:"
    return "\n".join([head, *shown, *rest])


def _ranges(numbers: list[int]) -> str:
    """Join line numbers, runs shortened: '21-40, 52'."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
