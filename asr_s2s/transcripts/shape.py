"""Captions as subtitle makers expect them: short, balanced lines, ended by sentences and pauses, and time to read them.

Breaks are chosen for a whole stretch of speech at once, as Knuth and Plass (1981, "Breaking paragraphs into lines")
choose those of a paragraph: by the least sum of penalties. A word alone on a line outweighs everything else.
"""

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


class _Penalty(NamedTuple):
    """What speaks against some captions: the lines of a single word, then all else."""

    single_words: int
    others: float

    def __add__(self, other: "_Penalty") -> "_Penalty":  # type: ignore[override]  # of two penalties, not of tuples
        return _Penalty(self.single_words + other.single_words, self.others + other.others)


_Layout = tuple[_Penalty, tuple[int, ...]]  # and the units that begin the lines after the first


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
    """Give the units between two pauses."""
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
    layout = _layouts(run, shape)
    best: list[tuple[_Penalty, int, tuple[int, ...]]] = [(_Penalty(0, 0.0), 0, ())]  # of what ends before each unit
    for end in range(1, len(run) + 1):
        found = []
        for start in range(end - 1, -1, -1):
            is_long = run[end - 1].end - run[start].start > shape.max_seconds
            lines = layout(start, end)
            if lines is None or (is_long and start < end - 1):
                break
            penalty = best[start][0] + lines[0] + _Penalty(0, _caption_penalty(run, start, end))
            found.append((penalty, start, lines[1]))
        best.append(min(found))
    chosen, end = [], len(run)
    while end:
        _, start, breaks = best[end]
        chosen.append([run[first:last] for first, last in pairwise([start, *breaks, end])])
        end = start
    for lines_of_units in reversed(chosen):
        words = tuple(word for line in lines_of_units for word in _words(line))
        yield Segment(words[0].start, words[-1].end, "\n".join(map(_text, lines_of_units)), words)


def _caption_penalty(run: Sequence[_Unit], start: int, end: int) -> float:
    """Weigh a caption by where it ends, and by the time that is missing to read it."""
    width = sum(unit.width + unit.space for unit in run[start:end])
    # the last one may stay into the pause
    missing = _reading_seconds(width) - (run[end].start - run[start].start) if end < len(run) else 0.0
    return CAPTION_PENALTY + _break_penalty(run, end) + HASTE_PENALTY * max(missing, 0.0)


def _break_penalty(run: Sequence[_Unit], place: int) -> float:
    if place == len(run) or run[place - 1].text.endswith(SENTENCE_ENDS):
        return 0.0
    is_phrase = run[place].start - run[place - 1].end >= SHORT_PAUSE_SECONDS
    return PHRASE_PENALTY if is_phrase or run[place - 1].text.endswith(CLAUSE_ENDS) else WORD_PENALTY


def _layouts(run: Sequence[_Unit], shape: CaptionShape) -> Callable[[int, int], _Layout | None]:
    """Give the function that finds the best lines from one unit up to another; None where they would be too many."""
    edges = [0, *accumulate(unit.width + unit.space for unit in run)]

    def width(start: int, end: int) -> int:
        return edges[end] - edges[start] - run[start].space

    def line_penalty(start: int, end: int) -> _Penalty:
        room = max(shape.max_line_width - width(start, end), 0) / shape.max_line_width
        return _Penalty(int(end - start == 1 < len(run)), room * room + LINE_SHARE * _break_penalty(run, end))

    @cache
    def layout(start: int, end: int, count: int = shape.max_line_count, *, is_whole: bool = True) -> _Layout | None:
        found: list[_Layout] = []
        for place in range(start + 1, end + 1):
            if place > start + 1 and width(start, place) > shape.max_line_width:
                break
            if place == end:
                penalty = _Penalty(line_penalty(start, end).single_words, 0.0) if is_whole else line_penalty(start, end)
                found.append((penalty, ()))
            elif count > 1 and (rest := layout(place, end, count - 1, is_whole=False)):
                found.append((line_penalty(start, place) + rest[0], (place, *rest[1])))
        return min(found, default=None)

    return layout


def _words(line: Sequence[_Unit]) -> Iterator[Word]:
    """Give the words of a line; of one that is broken, what stands there."""
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
