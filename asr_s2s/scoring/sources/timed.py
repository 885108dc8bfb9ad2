"""Formats that give times, held in memory: stm and ctm of NIST (sctk's doc/infmts.htm), and SegLST of meeteval.

An stm reference against a ctm is paired by time, as sclite does it; any other two by recording: what was said in one,
in the order of time, is an utterance.
"""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from asr_s2s.errors import ScoringError
from asr_s2s.scoring.sources.records import decoded, opened
from asr_s2s.scoring.sources.source import Faults, HeldSource, Text

IGNORED = "IGNORE_TIME_SEGMENT_IN_SCORING"
STM_COLUMNS, CTM_COLUMNS = 5, 5  # the least there must be


@dataclass(frozen=True, slots=True)
class Stretch:
    """What was said from start to end (seconds) of a recording's channel: a segment, or one word."""

    recording: str
    channel: str
    start: float
    end: float
    text: str
    speaker: str | None = None

    @property
    def place(self) -> str:
        """Name the channel of the recording."""
        return f"{self.recording}-{self.channel}" if self.channel else self.recording


def read_stm(path: Path) -> list[Stretch]:
    """Read segments; those that are not to be scored keep their text IGNORED. Raises ScoringError."""
    return _read(path, _stm_segment)


def read_ctm(path: Path) -> list[Stretch]:
    """Read words. Raises ScoringError."""
    return _read(path, _ctm_word)


def read_seglst(path: Path) -> list[Stretch]:
    """Read segments. Raises ScoringError."""
    with opened(path) as file:
        content = decoded(file.read(), path, 0)
    try:
        return [_seglst_segment(item) for item in json.loads(content)]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ScoringError(
            f"{path}: is no SegLST ({error}). Write a list of objects with session_id, speaker, start_time, end_time "
            "and words."
        ) from error


def by_recording(path: Path, stretches: Sequence[Stretch]) -> HeldSource:
    """Join what was said in each recording in the order of time; channels are recordings where one has several."""
    kept = [stretch for stretch in stretches if stretch.text != IGNORED]
    several = len({stretch.recording for stretch in kept}) < len({stretch.place for stretch in kept})
    by_name: dict[str, list[Stretch]] = {}
    for stretch in sorted(kept, key=lambda stretch: stretch.start):
        by_name.setdefault(stretch.place if several else stretch.recording, []).append(stretch)
    texts = [Text(name, " ".join(part.text for part in parts if part.text)) for name, parts in by_name.items()]
    return HeldSource(str(path), texts, path, by="recording", remarks=_remarks(path, len(stretches) - len(kept)))


def by_time(
    reference_path: Path, segments: Iterable[Stretch], hypothesis_path: Path, words: Iterable[Stretch]
) -> tuple[HeldSource, HeldSource]:
    """Put each word into the first segment that ends after the word's middle, or else into the recording's last.

    A word between two segments is thus an insertion in the next one, as sclite 2.4.12 has it.
    """
    by_name: dict[str, list[tuple[Stretch, list[str]]]] = {}
    for segment in sorted(segments, key=lambda segment: (segment.place, segment.start)):
        by_name.setdefault(segment.place, []).append((segment, []))
    latest = {name: list(accumulate((segment.end for segment, _ in places), max)) for name, places in by_name.items()}
    outside: dict[str, list[str]] = {}
    for word in sorted(words, key=lambda word: (word.place, word.start)):
        places = by_name.get(word.place)
        if places is None:
            outside.setdefault(word.place, []).append(word.text)
        else:
            place = bisect_right(latest[word.place], (word.start + word.end) / 2)
            places[min(place, len(places) - 1)][1].append(word.text)
    scored = [(segment, heard) for places in by_name.values() for segment, heard in places if segment.text != IGNORED]
    remarks = _remarks(reference_path, sum(map(len, by_name.values())) - len(scored))
    references = [Text(_segment_name(segment), segment.text, _labels(segment)) for segment, _ in scored]
    hypotheses = [Text(_segment_name(segment), " ".join(heard)) for segment, heard in scored]
    hypotheses += [Text(recording, " ".join(heard)) for recording, heard in outside.items()]
    return (
        HeldSource(str(reference_path), references, reference_path, by="time", remarks=remarks),
        HeldSource(str(hypothesis_path), hypotheses, hypothesis_path, by="time"),
    )


def _remarks(path: Path, num_ignored: int) -> tuple[str, ...]:
    return (f"{path}: {num_ignored:,} segments are marked {IGNORED} and not scored",) if num_ignored else ()


def _read(path: Path, parse: Callable[[str], Stretch]) -> list[Stretch]:
    stretches, faults = [], Faults(path)
    with opened(path) as file:
        for number, raw in enumerate(file):
            line = decoded(raw, path, number)
            if not line.strip() or line.startswith(";;"):
                continue
            try:
                stretches.append(parse(line))
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
    return Stretch(recording, channel, float(start), float(end), said, speaker)


def _ctm_word(line: str) -> Stretch:
    """recording, channel, start, duration, word; alternatives (<ALT>) are not understood."""
    recording, channel, start, duration, word = line.split()[:CTM_COLUMNS]
    return Stretch(recording, channel, float(start), float(start) + float(duration), word)


def _seglst_segment(item: dict[str, Any]) -> Stretch:
    start = float(item.get("start_time", 0.0))
    return Stretch(
        item["session_id"], "", start, float(item.get("end_time", start)), item["words"], item.get("speaker")
    )


def _segment_name(segment: Stretch) -> str:
    return f"{segment.place}-{segment.start:.3f}-{segment.end:.3f}"


def _labels(segment: Stretch) -> dict[str, Any]:
    return {"speaker": segment.speaker, "recording": segment.recording, "duration": segment.end - segment.start}
