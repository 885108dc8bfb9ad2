"""Captions as subtitle makers expect them: short lines, few of them, cut at pauses and at the ends of sentences."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from asr_s2s.manifest import Word
from asr_s2s.transcripts.transcript import Segment, Transcript

PAUSE_SECONDS = 1.0  # a silence in which a caption should go
LEAST_SECONDS = 1.0  # a caption stays so long, if the next leaves room
FULL = 0.5  # a caption with so much of its room taken ends with the sentence
SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！")


@dataclass(frozen=True)
class CaptionShape:
    """Characters a line, lines a caption, and seconds that it may stay."""

    max_line_width: int = 42
    max_line_count: int = 2
    max_seconds: float = 7.0


def shaped(transcript: Transcript, shape: CaptionShape) -> Transcript:
    """Cut segments whose words have times into captions, their lines apart by line breaks; others stay as they are.

    A word longer than a line has a line of its own.
    """
    captions = [
        caption
        for segment in transcript.segments
        for caption in (_captions(segment, shape) if segment.words else [segment])
    ]
    return replace(transcript, segments=tuple(_long_enough(captions)))


def _captions(segment: Segment, shape: CaptionShape) -> Iterator[Segment]:
    words: list[Word] = []
    for word in segment.words:
        if words and _ends(words, word, shape):
            yield _caption(words, segment, shape)
            words = []
        words.append(word)
    yield _caption(words, segment, shape)


def _ends(words: Sequence[Word], following: Word, shape: CaptionShape) -> bool:
    """Tell whether a caption of these words is over before the following one."""
    if len(_lines([*words, following], shape)) > shape.max_line_count:
        return True
    if following.start - words[-1].end >= PAUSE_SECONDS or following.end - words[0].start > shape.max_seconds:
        return True
    taken = sum(len(word.word) + 1 for word in words)
    return words[-1].word.endswith(SENTENCE_ENDS) and taken > FULL * shape.max_line_width * shape.max_line_count


def _lines(words: Sequence[Word], shape: CaptionShape) -> list[str]:
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + 1 + len(word.word) <= shape.max_line_width:
            lines[-1] += f" {word.word}"
        else:
            lines.append(word.word)
    return lines


def _caption(words: Sequence[Word], segment: Segment, shape: CaptionShape) -> Segment:
    return replace(
        segment, start=words[0].start, end=words[-1].end, text="\n".join(_lines(words, shape)), words=tuple(words)
    )


def _long_enough(captions: Sequence[Segment]) -> Iterator[Segment]:
    """Let short captions stay until the next begins, a second at most."""
    for number, caption in enumerate(captions):
        limit = captions[number + 1].start if number + 1 < len(captions) else caption.start + LEAST_SECONDS
        yield replace(caption, end=max(caption.end, min(caption.start + LEAST_SECONDS, limit)))
