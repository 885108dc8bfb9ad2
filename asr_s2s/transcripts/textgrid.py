"""Praat's TextGrid, in its long form: a tier of segments and, where word times are known, a tier of words.

P. Boersma and D. Weenink, "Praat: doing phonetics by computer", manual page "TextGrid file formats".
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from asr_s2s.errors import TranscriptError
from asr_s2s.manifest import Word
from asr_s2s.transcripts.captions import one_line
from asr_s2s.transcripts.transcript import Segment, Transcript

suffix = ".TextGrid"

SEGMENTS, WORDS = "segments", "words"
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
    """Write tiers without gaps, pauses as empty intervals; times are rounded to milliseconds.

    Where two overlap, the later begins at the end of the earlier.
    """
    spoken = [TierInterval(one.start, one.end, text) for one in transcript.segments if (text := one_line(one.text))]
    words = [TierInterval(one.start, one.end, text) for one in transcript.words if (text := one_line(one.word))]
    end = round(max([transcript.duration, *(one.end for one in spoken + words)]), 3)
    tiers = [(SEGMENTS, spoken)] + ([(WORDS, words)] if words else [])
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


def _tier(name: str, intervals: list[TierInterval], end: float) -> Iterator[str]:
    yield '        class = "IntervalTier"'
    yield f'        name = "{name}"'
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
    """Read the first tier as segments, and the tier named 'words' as their words; the long form alone.

    Raises TranscriptError for a file without such a tier.
    """
    parts = TIER.split(text)
    tiers = {name: list(_intervals(body)) for name, body in zip(parts[1::2], parts[2::2], strict=True)}
    if "ooTextFile" not in parts[0] or not tiers:
        raise TranscriptError(f"{origin}: is no TextGrid in the long form with a tier. Save it so from Praat.")
    words = [Word(one.text, one.start, one.end) for one in tiers.get(WORDS, []) if one.text]
    segments = tuple(
        Segment(one.start, one.end, one.text, tuple(word for word in words if one.start <= word.start < one.end))
        for one in next(iter(tiers.values()))
        if one.text
    )
    ends = [one.end for intervals in tiers.values() for one in intervals]
    return Transcript(segments, duration=max(ends, default=0.0))


def _intervals(body: str) -> Iterator[TierInterval]:
    for start, end, text in INTERVAL.findall(body):
        yield TierInterval(float(start), float(end), one_line(text.replace('""', '"')))
