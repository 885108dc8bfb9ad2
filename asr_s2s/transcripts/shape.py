"""Captions as subtitle makers expect them: short, balanced lines, ended by sentences and pauses, and time to read them.

Breaks are chosen for a whole stretch of speech at once, as Knuth and Plass (1981, "Breaking paragraphs into lines")
choose those of a paragraph: by the least sum of penalties. A word alone on a line outweighs everything else.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate, groupby, pairwise
from typing import NamedTuple

from asr_s2s.manifest import Word
from asr_s2s.transcripts.names import named
from asr_s2s.transcripts.scripts import breakable, display_width
from asr_s2s.transcripts.transcript import Segment, Transcript

PAUSE_SECONDS = 1.0  # a silence in which a caption should go
SHORT_PAUSE_SECONDS = 0.3  # a silence that parts phrases
LEAST_SECONDS = 1.0  # a caption stays so long, if the next leaves room
READING_SPEED = 21.0  # characters a second: a caption stays as long as that takes, if the next leaves room
SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！")
CLAUSE_ENDS = (",", ";", ":", "–", "—", "、", "，", "；", "：")
CAPTION_PENALTY, WORD_PENALTY, PHRASE_PENALTY = (
    0.7,
    1.0,
    0.4,
)  # of each caption; of an end within a phrase, or after one
HASTE_PENALTY = 0.5  # for each second that is missing to read a caption
LINE_SHARE = 0.2  # the weight of a line's end beside that of a caption
SINGLE_WORD_PENALTY = 1e6  # of a line: more than all others together


@dataclass(frozen=True)
class CaptionShape:
    """Columns a line (wide characters take two), lines a caption, and seconds that it may last."""

    max_line_width: int = 42
    max_line_count: int = 2
    max_seconds: float = 7.0


class _Unit(NamedTuple):
    """What no line break parts: a word, or in scripts without spaces a character with the marks that go with it."""

    word: Word
    part: int  # of the word, from 0
    text: str
    start: float
    end: float
    width: int
    space: int  # columns of the space before it, unless it begins a line


_Layout = tuple[float, tuple[int, ...]]  # the penalty, and the units that begin the lines after the first


def shaped(transcript: Transcript, shape: CaptionShape) -> Transcript:
    """Cut segments whose words have times into captions, their lines apart by line breaks; others keep their text.

    Neighbouring segments of a speaker are cut as one where no pause lies between them. A word longer than a line has a
    line of its own; in scripts without spaces it is broken, and its parts share its time.
    """
    captions: list[Segment] = []
    spoken = [segment for segment in named(transcript).segments if segment.words or segment.text.strip()]
    for (is_timed, speaker), group in groupby(spoken, key=lambda one: (bool(one.words), one.speaker)):
        if is_timed:
            words = [word for segment in group for word in segment.words]
            captions += (replace(one, speaker=speaker) for run in _runs(words) for one in _captions(run, shape))
        else:
            captions += group
    return replace(transcript, segments=tuple(_readable(captions, transcript.duration, shape)))


def _runs(words: Sequence[Word]) -> Iterator[list[_Unit]]:
    """Return the units between two pauses."""
    run: list[_Unit] = []
    for word in words:
        if run and word.start - run[-1].end >= PAUSE_SECONDS:
            yield run
            run = []
        run += _units(word, space=1 if run else 0)
    yield run


def _units(word: Word, *, space: int) -> Iterator[_Unit]:
    """Part a word where it may be broken; its time is shared out by width."""
    parts = breakable(word.word)
    widths = [display_width(part) for part in parts]
    edges = [0, *accumulate(widths)]
    scale = (word.end - word.start) / max(edges[-1], 1)
    times = [*(word.start + scale * edge for edge in edges[:-1]), word.end]
    for number, part in enumerate(parts):
        yield _Unit(word, number, part, times[number], times[number + 1], widths[number], 0 if number else space)


def _captions(run: Sequence[_Unit], shape: CaptionShape) -> Iterator[Segment]:
    """Cut a stretch of speech into the captions with the least penalty."""
    edges = [0, *accumulate(unit.width + unit.space for unit in run)]
    ends = [_end_penalty(run, place) for place in range(len(run) + 1)]
    layout = _layouts(run, edges, ends, shape)
    best: list[tuple[float, int, tuple[int, ...]]] = [(0.0, 0, ())]  # of what ends before each unit
    for end in range(1, len(run) + 1):
        found = []
        for start in range(end - 1, -1, -1):
            is_long = start < end - 1 and run[end - 1].end - run[start].start > shape.max_seconds
            lines = None if is_long else layout(start, end)
            if lines is None:
                break
            # the time that is missing to read it; the last one may stay into the pause
            following = run[end].start if end < len(run) else math.inf
            missing = _reading_seconds(edges[end] - edges[start]) - (following - run[start].start)
            penalty = CAPTION_PENALTY + ends[end] + HASTE_PENALTY * max(missing, 0.0)
            found.append((best[start][0] + penalty + lines[0], start, lines[1]))
        best.append(min(found))
    chosen, end = [], len(run)
    while end:
        _, start, breaks = best[end]
        chosen.append([run[first:last] for first, last in pairwise([start, *breaks, end])])
        end = start
    for lines_of_units in reversed(chosen):
        words = tuple(word for line in lines_of_units for word in _words(line))
        yield Segment(words[0].start, words[-1].end, "\n".join(map(_text, lines_of_units)), words)


def _end_penalty(run: Sequence[_Unit], place: int) -> float:
    """Weigh an end before a unit: of the run and of a sentence, of a phrase, of a word."""
    if place in (0, len(run)) or run[place - 1].text.endswith(SENTENCE_ENDS):
        return 0.0
    is_phrase = run[place].start - run[place - 1].end >= SHORT_PAUSE_SECONDS
    return PHRASE_PENALTY if is_phrase or run[place - 1].text.endswith(CLAUSE_ENDS) else WORD_PENALTY


def _layouts(
    run: Sequence[_Unit], edges: Sequence[int], ends: Sequence[float], shape: CaptionShape
) -> Callable[[int, int], _Layout | None]:
    """Return the function that finds the best lines from one unit up to another; None where they would be too many.

    edges: columns before each unit; ends: the penalty of an end before it
    """

    @cache
    def line(start: int, end: int) -> tuple[float, float] | None:
        """Weigh a line alone, and as one of several, which should be as long as each other; None if it is too long."""
        width = edges[end] - edges[start] - run[start].space
        if width > shape.max_line_width and end > start + 1:
            return None
        single = SINGLE_WORD_PENALTY if end - start == 1 < len(run) else 0.0
        room = max(shape.max_line_width - width, 0) / shape.max_line_width
        return single, single + room * room + LINE_SHARE * ends[end]

    @cache
    def layout(start: int, end: int, count: int = shape.max_line_count) -> _Layout | None:
        if whole := line(start, end):
            return whole[count < shape.max_line_count], ()
        found: list[_Layout] = []
        for place in range(start + 1, end if count > 1 else start):
            first = line(start, place)
            if first is None:
                break
            if rest := layout(place, end, count - 1):
                found.append((first[1] + rest[0], (place, *rest[1])))
        return min(found, default=None)

    return layout


def _words(line: Sequence[_Unit]) -> Iterator[Word]:
    """Return the words of a line; of one that is broken, what stands there."""
    firsts = [at for at, unit in enumerate(line) if at == 0 or unit.part == 0]
    for first, end in pairwise([*firsts, len(line)]):
        word, text = line[first].word, "".join(unit.text for unit in line[first:end])
        yield word if text == word.word else replace(word, word=text, start=line[first].start, end=line[end - 1].end)


def _text(line: Sequence[_Unit]) -> str:
    return line[0].text + "".join(" " * unit.space + unit.text for unit in line[1:])


def _reading_seconds(width: int) -> float:
    return max(width / READING_SPEED, LEAST_SECONDS)


def _readable(captions: Sequence[Segment], duration: float, shape: CaptionShape) -> Iterator[Segment]:
    """Let captions stay as long as it takes to read them, if the next one and the recording's end leave room."""
    for number, caption in enumerate(captions):
        following = captions[number + 1] if number + 1 < len(captions) else None
        limit = following.start if following else max(duration, caption.end)
        seconds = min(_reading_seconds(display_width(caption.text)), shape.max_seconds)
        yield replace(caption, end=max(caption.end, min(caption.start + seconds, limit)))
