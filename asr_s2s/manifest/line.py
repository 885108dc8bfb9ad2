"""One line of a manifest: parsed, checked, every fault worded."""

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from asr_s2s.errors import ManifestError
from asr_s2s.manifest.utterance import Utterance, Word

NESTED = "is nested too deeply. Write one flat object a line."


class BrokenLineError(ValueError):
    """What is wrong with a line, each fault in words."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__(*faults)
        self.faults = faults


def _refuse_constant(name: str) -> None:
    raise BrokenLineError([f"{name} is not a JSON number. Use null."])


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        shown = text if len(text) <= 20 else f"{text[:20]}..."
        raise BrokenLineError([f"{shown} is too large a number. Write seconds or counts that are real."])
    return value


def _integer(text: str) -> int:
    _number(text)  # Python's own have no end, but nothing else could read them again
    return int(text)


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of JSON's keys and values, of which Python would keep the last. Raises BrokenLineError."""
    record = dict(pairs)
    if len(record) < len(pairs):
        doubled = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise BrokenLineError([f"has the key '{doubled}' several times. Keep one of them."])
    return record


_DECODER = json.JSONDecoder(
    parse_constant=_refuse_constant, parse_float=_number, parse_int=_integer, object_pairs_hook=unique_keys
)
MOST_DEPTH = 100  # of what a line holds: it is written from deeper in the program than it is read


def parse_record(line: str) -> dict[str, Any]:
    """Read one line as it stands, for those who need no whole utterance. Raises ManifestError without its place."""
    try:
        return _record(line.strip())
    except BrokenLineError as error:
        raise ManifestError(" ".join(error.faults)) from error
    except UnicodeError as error:
        raise ManifestError("holds half a surrogate pair. Write whole characters.") from error


def record_id(record: Mapping[str, Any]) -> str:
    """Return the id of a line that was read with parse_record. Raises ManifestError where there is none."""
    name, written, offset = (record.get(key) for key in ("id", "audio_filepath", "offset"))
    if type(name) in (str, int) and name != "":
        return str(name)
    if name is None and isinstance(written, str) and written and isinstance(offset or 0.0, int | float):
        return _path_id(written, offset or 0.0)
    raise ManifestError("has neither an 'id' nor an 'audio_filepath' to name it by. Write one of them as a string.")


def parse_line(raw: bytes) -> dict[str, Any]:
    """Read one line of a file. Raises BrokenLineError."""
    try:
        line = raw.decode("utf-8").strip()
        return _record(line)
    except UnicodeError as error:
        raise BrokenLineError(["is not UTF-8 text. Save the manifest as UTF-8."]) from error


def _record(line: str) -> dict[str, Any]:
    try:
        record = _DECODER.decode(line)
        if "\\ud" in line.lower():
            json.dumps(record, ensure_ascii=False).encode()  # half a surrogate pair could be read but never written
    except json.JSONDecodeError as error:
        raise BrokenLineError([f"is not valid JSON ({error.msg}, column {error.colno})."]) from error
    except RecursionError as error:
        raise BrokenLineError([NESTED]) from error
    if line.count("[") + line.count("{") > MOST_DEPTH and _depth(record) > MOST_DEPTH:
        raise BrokenLineError([NESTED])
    if not isinstance(record, dict):
        raise BrokenLineError([f"is {_shown(record)}, not an object. Write one {{...}} a line."])
    return record


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0)


def checked_utterance(record: dict[str, Any], *, folder: Path, origin: str) -> Utterance:
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
        raise BrokenLineError(line.faults)
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


def _path_id(written: str, offset: float) -> str:
    return written.removesuffix(Path(written).suffix) + (f"@{round(offset * 1000)}" if offset else "")


def _shown(value: Any, *, limit: int = 60) -> str:
    """Word a JSON value for a message, cut to a readable length."""
    worded = json.dumps(value, ensure_ascii=False)
    return worded if len(worded) <= limit else worded[: limit - 3] + "..."
