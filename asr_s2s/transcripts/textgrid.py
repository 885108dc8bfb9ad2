"""Praat's TextGrid, in its long form: a tier of segments and, where word times are known, a tier of words.

P. Boersma and D. Weenink, "Praat: doing phonetics by computer", manual page "TextGrid file formats".
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from asr_s2s.errors import TranscriptError
from asr_s2s.manifest import Word
from asr_s2s.transcripts.captions import one_line
from asr_s2s.transcripts.names import SPEAKER
from asr_s2s.transcripts.transcript import Segment, Transcript

suffix = ".TextGrid"

SEGMENTS, WORDS = "segments", "words"
OF = " - "  # between a speaker's name and one of these
# a text is on a line of its own, so that nothing in it is taken for one of these
TIER = re.compile(r'^\s*name\s*=\s*"((?:[^"]|"")*)"', re.MULTILINE)
INTERVAL = re.compile(
    r'^\s*xmin\s*=\s*([\d.eE+-]+)\s*\n\s*xmax\s*=\s*([\d.eE+-]+)\s*\n\s*text\s*=\s*"((?:[^"]|"")*)"', re.MULTILINE
)


class TierInterval(NamedTuple):
    """A stretch of a tier; the text of a pause is empty."""

    start: float
    end: float
    text: str


def write(transcript: Transcript) -> str:
    """Write tiers without gaps, pauses as empty intervals; times are rounded to milliseconds, speakers have their own.

    Where two overlap, the later begins at the end of the earlier.
    """
    tiers = list(_tiers(transcript))
    end = round(max([transcript.duration, *(one.end for _, intervals in tiers for one in intervals)]), 3)
    lines = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "xmin = 0",
        f"xmax = {end}",
        "tiers? <exists>",
        f"size = {len(tiers)}",
        "item []:",
    ]
    for number, (name, intervals) in enumerate(tiers, start=1):
        lines += [f"    item [{number}]:", *_tier(name, list(_without_gaps(intervals, end)), end)]
    return "\n".join(lines) + "\n"


def _tiers(transcript: Transcript) -> Iterator[tuple[str, list[TierInterval]]]:
    """Return the names and intervals of the tiers: two in all, or where several speak two of each."""
    speakers = list(dict.fromkeys(one.speaker for one in transcript.segments)) or [None]
    for speaker in speakers:
        segments = [one for one in transcript.segments if one.speaker == speaker]
        spoken = [TierInterval(one.start, one.end, text) for one in segments if (text := one_line(one.text))]
        words = [
            TierInterval(one.start, one.end, text)
            for segment in segments
            for one in segment.words
            if (text := one_line(one.word))
        ]
        prefix = f"{one_line(speaker or SPEAKER)}{OF}" if len(speakers) > 1 else ""
        yield prefix + SEGMENTS, spoken
        if words:
            yield prefix + WORDS, words


def _tier(name: str, intervals: list[TierInterval], end: float) -> Iterator[str]:
    yield '        class = "IntervalTier"'
    yield '        name = "{}"'.format(name.replace('"', '""'))
    yield "        xmin = 0"
    yield f"        xmax = {end}"
    yield f"        intervals: size = {len(intervals)}"
    for number, one in enumerate(intervals, start=1):
        yield f"        intervals [{number}]:"
        yield f"            xmin = {one.start}"
        yield f"            xmax = {one.end}"
        yield '            text = "{}"'.format(one.text.replace('"', '""'))


def _without_gaps(intervals: Iterable[TierInterval], end: float) -> Iterator[TierInterval]:
    """Fill pauses with empty intervals; what has no length left has no place in Praat and goes."""
    reached = 0.0
    for one in sorted(intervals):
        start, stop = max(round(one.start, 3), reached), round(one.end, 3)
        if stop <= start:
            continue
        if start > reached:
            yield TierInterval(reached, start, "")
        yield TierInterval(start, stop, one.text)
        reached = stop
    if reached < end:
        yield TierInterval(reached, end, "")


def read(text: str, *, origin: str = "transcript") -> Transcript:
    """Read the first tier as segments, and the tier named 'words' as their words; of several speakers each one's.

    The long form alone is read.
    Raises TranscriptError for a file without such a tier.
    """
    parts = TIER.split(text)
    names = [name.replace('""', '"') for name in parts[1::2]]
    tiers = {name: list(_intervals(body)) for name, body in zip(names, parts[2::2], strict=True)}
    if "ooTextFile" not in parts[0] or not tiers:
        raise TranscriptError(f"{origin}: is no TextGrid in the long form with a tier. Save it so from Praat.")
    speakers = [name.removesuffix(OF + SEGMENTS) for name in tiers if name.endswith(OF + SEGMENTS)]
    segments = [segment for speaker in speakers for segment in _segments(tiers, f"{speaker}{OF}", speaker)]
    if not speakers:
        segments = list(_segments(tiers, "", None))
    ends = [one.end for intervals in tiers.values() for one in intervals]
    in_time = sorted(segments, key=lambda segment: segment.start)
    return Transcript(tuple(in_time), duration=max(ends, default=0.0))


def _segments(tiers: Mapping[str, list[TierInterval]], prefix: str, speaker: str | None) -> Iterator[Segment]:
    """Return a speaker's segments with their words; without names the first tier holds segments."""
    words = [Word(one.text, one.start, one.end) for one in tiers.get(prefix + WORDS, []) if one.text]
    for one in tiers[prefix + SEGMENTS] if prefix else next(iter(tiers.values())):
        if one.text:
            inside = tuple(word for word in words if one.start <= word.start < one.end)
            yield Segment(one.start, one.end, one.text, inside, speaker=speaker)


def _intervals(body: str) -> Iterator[TierInterval]:
    for start, end, text in INTERVAL.findall(body):
        yield TierInterval(float(start), float(end), one_line(text.replace('""', '"')))
