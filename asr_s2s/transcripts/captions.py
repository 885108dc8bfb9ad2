"""What SubRip and WebVTT captions share: clock times, and blocks of lines with a time line each."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from asr_s2s.errors import TranscriptError
from asr_s2s.transcripts.scripts import joined
from asr_s2s.transcripts.transcript import Segment

CLOCK = r"(?:(\d+):)?([0-5]?\d):([0-5]?\d)[.,](\d{1,3})"
TIME_LINE = re.compile(rf"\s*{CLOCK}\s*-->\s*{CLOCK}(?:\s.*)?")


class Block(NamedTuple):
    """Lines between two blank ones, with the number of the first in the file (from 1)."""

    line: int
    lines: list[str]


def one_line(text: str) -> str:
    """Join the words with single spaces: a blank line within a text would end its caption."""
    return " ".join(text.split())


def lines_of(text: str) -> str:
    """Keep the lines that hold words, each with single spaces: a blank line within a text would end its caption."""
    return "\n".join(line for each in text.split("\n") if (line := one_line(each)))


def clock(seconds: float, *, point: str) -> str:
    """Write a time as hours:minutes:seconds with milliseconds after the point; hours may pass 99."""
    minutes, milliseconds = divmod(round(seconds * 1000), 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{milliseconds // 1000:02d}{point}{milliseconds % 1000:03d}"


def blocks(text: str) -> Iterator[Block]:
    """Cut a file into its blocks; any line ending, blank lines in any number."""
    gathered: list[str] = []
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, line in enumerate([*lines, ""], start=1):
        if line.strip():
            gathered.append(line)
        elif gathered:
            yield Block(number - len(gathered), gathered)
            gathered = []


def segment_of(block: Block, *, origin: str) -> Segment:
    """Read one caption: an optional line that numbers or names it, the time line, the text.

    Raises TranscriptError when neither of the first two lines is a time line.
    """
    for position, line in enumerate(block.lines[:2]):
        if times := TIME_LINE.fullmatch(line):
            start, end = _seconds(*times.groups()[:4]), _seconds(*times.groups()[4:])
            return Segment(start, end, joined(block.lines[position + 1 :]))
    raise TranscriptError(
        f"{origin}:{block.line}: {block.lines[0]!r} begins a caption without a time line. "
        "Write '00:00:01,000 --> 00:00:02,500' above its text, and no blank line within it."
    )


def _seconds(hours: str | None, minutes: str, seconds: str, fraction: str) -> float:
    # One division of a whole number, so that a time read is the float nearest to what is written.
    whole = (int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)
    return (whole * 1000 + int(fraction.ljust(3, "0"))) / 1000
