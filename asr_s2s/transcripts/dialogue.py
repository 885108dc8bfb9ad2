"""The channels of one recording, each transcribed alone, as one dialogue in the order of time."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from asr_s2s.transcripts.transcript import Segment, Transcript

TURN_SECONDS = 0.3  # a pause in which somebody else may take a turn


def in_channel(transcript: Transcript, channel: int, *, speaker: str | None = None) -> Transcript:
    """Note in each segment which channel it was recognised in, and who speaks there."""
    segments = (replace(segment, channel=channel, speaker=speaker) for segment in transcript.segments)
    return replace(transcript, segments=tuple(segments))


def dialogue(channels: Sequence[Transcript]) -> Transcript:
    """Join the transcripts of a recording's channels; a segment is cut where another channel speaks in its pause."""
    starts = sorted(
        word.start for channel in channels for segment in channel.segments for word in (segment.words or (segment,))
    )
    turns = [turn for channel in channels for segment in channel.segments for turn in _turns(segment, starts)]
    first = channels[0]
    return replace(
        first,
        segments=tuple(sorted(turns, key=lambda turn: (turn.start, turn.channel or 0))),
        duration=max(channel.duration for channel in channels),
        time_source=next((channel.time_source for channel in channels if channel.time_source), None),
        damage=tuple(dict.fromkeys(damage for channel in channels for damage in channel.damage)),
        notes=tuple(dict.fromkeys(note for channel in channels for note in channel.notes)),
    )


def _turns(segment: Segment, starts: Sequence[float]) -> Iterator[Segment]:
    """Cut a segment in the pauses in which a word of another begins."""
    edges = [
        place
        for place, (word, following) in enumerate(pairwise(segment.words), start=1)
        if following.start - word.end >= TURN_SECONDS and any(word.end <= start < following.start for start in starts)
    ]
    if not edges:
        yield segment
        return
    for first, end in pairwise([0, *edges, len(segment.words)]):
        words = segment.words[first:end]
        start = segment.start if first == 0 else words[0].start
        stop = segment.end if end == len(segment.words) else words[-1].end
        yield replace(segment, start=start, end=stop, text=" ".join(word.word for word in words), words=words)
