"""Formats that give times, held in memory: stm and ctm of NIST (sctk's doc/infmts.htm), and SegLST of meeteval.

An stm reference against a ctm is paired by time, as sclite does it; any other two by recording: what was said in one,
in the order of time, is an utterance.
"""

import json
import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from asr_s2s.errors import ScoringError, listed
from asr_s2s.inputs import InputFile
from asr_s2s.manifest import unique_keys
from asr_s2s.scoring.sources.records import (
    BrokenRecordError,
    decoded,
    opened,
    refuse_bare_returns,
    refuse_choices,
    whole_text,
)
from asr_s2s.scoring.sources.source import Faults, MemorySource, Text

IGNORED = "IGNORE_TIME_SEGMENT_IN_SCORING"  # in any case: TED-LIUM writes small letters
STM_COLUMNS = 5  # the least there must be
NOT_KNOWN = "NA"  # for a confidence


@dataclass(frozen=True, slots=True)
class Stretch:
    """What was said from start to end (seconds) of a recording's channel: a segment, or one word."""

    recording: str
    channel: str
    start: float
    end: float
    text: str
    speaker: str | None = None

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise BrokenRecordError(f"ends at {self.end:g} s and starts at {self.start:g} s. Correct the times.")

    @property
    def place(self) -> str:
        """Name the channel of the recording."""
        return f"{self.recording}-{self.channel}" if self.channel else self.recording

    @property
    def is_ignored(self) -> bool:
        """Return whether the segment is marked as not to be scored."""
        return self.text.upper() == IGNORED


def read_stm(file: InputFile) -> list[Stretch]:
    """Read segments, those too that are not to be scored. Raises ScoringError."""
    return _read(file, _stm_segment)


def read_ctm(file: InputFile) -> list[Stretch]:
    """Read words. Raises ScoringError."""
    return _read(file, _ctm_word)


def read_seglst(file: InputFile) -> list[Stretch]:
    """Read segments. Raises ScoringError that lists those that are none."""
    wanted = "Write a list of objects with session_id, speaker, start_time, end_time and words."
    try:
        items = json.loads(whole_text(file), object_pairs_hook=unique_keys)
    except (ValueError, RecursionError) as error:
        raise ScoringError(f"{file.path}: is no SegLST ({error}). {wanted}") from error
    if not isinstance(items, list):
        raise ScoringError(f"{file.path}: is no SegLST, but one JSON value. {wanted}")
    stretches, faults = [], []
    timed = any(isinstance(item, dict) and "start_time" in item for item in items)
    for number, item in enumerate(items, start=1):
        if timed and isinstance(item, dict) and "start_time" not in item:
            faults.append(f"segment {number} has no 'start_time', and others have: its place is not known")
            continue
        try:
            stretches.append(_seglst_segment(item))
        except BrokenRecordError as broken:
            faults.append(f"segment {number} {broken}")
    if faults:
        raise ScoringError(f"{file.path}: is no SegLST: {listed(faults)}. {wanted}")
    return stretches


def by_recording(file: InputFile, stretches: Sequence[Stretch], *, channels: bool = True) -> MemorySource:
    """Join what was said in each recording in the order of time.

    channels: whether the channels of a recording that has several are recordings of their own
    """
    kept = [stretch for stretch in stretches if not stretch.is_ignored]
    several = channels and len({stretch.recording for stretch in kept}) < len({stretch.place for stretch in kept})
    by_name: dict[str, list[Stretch]] = {}
    for stretch in sorted(kept, key=lambda stretch: stretch.start):
        by_name.setdefault(stretch.place if several else stretch.recording, []).append(stretch)
    texts = [Text(name, " ".join(part.text for part in parts if part.text)) for name, parts in by_name.items()]
    remarks = _remarks(file, len(stretches) - len(kept), ". Words that were recognised there are insertions")
    return MemorySource(str(file.path), texts, file, by="recording", remarks=remarks)


def by_time(
    reference: InputFile, segments: Iterable[Stretch], hypothesis: InputFile, words: Iterable[Stretch]
) -> tuple[MemorySource, MemorySource]:
    """Put each word into the first segment that ends after the word's middle, or else into the recording's last.

    A word between two segments is thus an insertion in the next one, and names of recordings count in any case, as in
    sclite 2.4.12. The segments of a recording that the hypothesis does not name are missing there.
    """
    by_name: dict[str, list[tuple[Stretch, list[str]]]] = {}
    for segment in sorted(segments, key=lambda segment: (segment.place.casefold(), segment.start)):
        by_name.setdefault(segment.place.casefold(), []).append((segment, []))
    latest = {name: list(accumulate((segment.end for segment, _ in places), max)) for name, places in by_name.items()}
    outside: dict[str, list[str]] = {}
    named: set[str] = set()
    for word in sorted(words, key=lambda word: (word.place, word.start)):
        name = word.place.casefold()
        named.add(name)
        places = by_name.get(name)
        if places is None:
            outside.setdefault(word.place, []).append(word.text)
        else:
            place = bisect_right(latest[name], (word.start + word.end) / 2)
            places[min(place, len(places) - 1)][1].append(word.text)
    scored = [(name, *both) for name, places in by_name.items() for both in places if not both[0].is_ignored]
    remarks = _remarks(reference, sum(map(len, by_name.values())) - len(scored))
    references = [Text(_segment_name(segment), segment.text, _labels(segment)) for _, segment, _ in scored]
    hypotheses = [Text(_segment_name(segment), " ".join(heard)) for name, segment, heard in scored if name in named]
    hypotheses += [Text(recording, " ".join(heard)) for recording, heard in outside.items()]
    return (
        MemorySource(str(reference.path), references, reference, by="time", remarks=remarks),
        MemorySource(str(hypothesis.path), hypotheses, hypothesis, by="time"),
    )


def _remarks(file: InputFile, num_ignored: int, beyond: str = "") -> tuple[str, ...]:
    return (
        (f"{file.path}: {num_ignored:,} segments are marked {IGNORED} and not scored{beyond}",) if num_ignored else ()
    )


def _read(file: InputFile, parse: Callable[[str], Stretch]) -> list[Stretch]:
    stretches, faults = [], Faults(file.path)
    with opened(file) as stream:
        for number, raw in enumerate(stream):
            line = decoded(raw, file, number)
            if not line.strip() or line.startswith(";;"):
                continue
            try:
                refuse_bare_returns(line)
                stretches.append(parse(line))
            except BrokenRecordError as broken:
                faults.add(number + 1, str(broken))
            except (ValueError, IndexError):
                faults.add(number + 1, f"{line.strip()[:60]!r} cannot be read. Write {parse.__doc__}")
    faults.check()
    return stretches


def _stm_segment(line: str) -> Stretch:
    """recording, channel, speaker, start, end, then the text."""
    columns = line.split(None, STM_COLUMNS)
    recording, channel, speaker, start, end = columns[:STM_COLUMNS]
    said = columns[STM_COLUMNS].strip() if len(columns) > STM_COLUMNS else ""
    if said.startswith("<") and said.partition(" ")[0].endswith(">"):  # sclite's labels
        said = said.partition(" ")[2].strip()
    refuse_choices(said)
    if len(said.split()) > 1 and IGNORED in said.upper().split():
        raise BrokenRecordError(f"has text beside {IGNORED}. Remove the text, or the mark to have it scored.")
    return Stretch(recording, channel, _seconds(start), _seconds(end), said, speaker)


def _ctm_word(line: str) -> Stretch:
    """recording, channel, start, duration, word; alternatives (<ALT>) are not understood."""
    recording, channel, start, duration, word, *rest = line.split()
    if rest and rest[0].upper() != NOT_KNOWN:
        _check_confidence(rest[0])
    return Stretch(recording, channel, _seconds(start), _seconds(start) + _seconds(duration), word)


def _seglst_segment(item: Any) -> Stretch:
    """Check one segment; names may be numbers. Raises BrokenRecordError."""
    if not isinstance(item, dict):
        raise BrokenRecordError(f"is {str(item)[:60]}, not an object")
    session, words, speaker = item.get("session_id"), item.get("words"), item.get("speaker")
    speaker = "" if speaker is None else speaker
    for name, value in (("session_id", session), ("words", words), ("speaker", speaker)):
        if not isinstance(value, str) and (type(value) is not int or name == "words"):
            raise BrokenRecordError(f"has '{name}' {str(value)[:60]}, not a string")
    try:
        start = _seconds(item.get("start_time", 0.0))
        end = _seconds(item.get("end_time", start))
    except (ValueError, TypeError) as error:
        raise BrokenRecordError(f"has times that are no seconds ({error})") from error
    refuse_choices(str(words))
    return Stretch(str(session), "", start, end, str(words), str(speaker) or None)


def _seconds(value: Any) -> float:
    """Read a time. Raises ValueError for what is NaN or infinite too."""
    seconds = float(value)
    if not math.isfinite(seconds):
        raise ValueError(f"{value} is no time")
    return seconds


def _check_confidence(value: str) -> None:
    """Raise BrokenRecordError for what is no number: another word, which would be dropped."""
    try:
        _seconds(value)
    except ValueError as error:
        raise BrokenRecordError(
            f"has {value[:60]!r} behind its word, where a confidence (a number or {NOT_KNOWN}) stands. "
            "Write one word a line."
        ) from error


def _segment_name(segment: Stretch) -> str:
    return f"{segment.place}-{segment.start:.3f}-{segment.end:.3f}"


def _labels(segment: Stretch) -> dict[str, Any]:
    return {"speaker": segment.speaker, "recording": segment.recording, "duration": segment.end - segment.start}
