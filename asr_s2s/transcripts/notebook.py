"""A transcript in a notebook: its player and its words, coloured by doubt; no scripts, which notebooks may refuse."""

from collections.abc import Iterator
from html import escape
from pathlib import Path

from asr_s2s.manifest import Word
from asr_s2s.transcripts.page import data_address
from asr_s2s.transcripts.transcript import Segment, Transcript

MOST_BYTES = 10_000_000  # of a recording that is put into the notebook
# below each probability, on light and on dark ground
DOUBTS = (
    (0.5, "background: rgba(220, 40, 40, 0.35)"),
    (0.7, "background: rgba(240, 150, 30, 0.35)"),
    (0.85, "border-bottom: 2px dotted rgba(240, 150, 30, 0.9)"),
)


def fragment(transcript: Transcript) -> str:
    """Return HTML to be put into another page."""
    several = len({segment.speaker for segment in transcript.segments} - {None}) > 1
    lines = [_line(segment, named=several) for segment in transcript.segments if segment.text.strip()]
    flags = f"<p><small>{escape(', '.join(transcript.flags))}</small></p>" if transcript.flags else ""
    return f"<div>{_player(transcript.audio_path)}{''.join(lines) or '<p><i>no words</i></p>'}{flags}</div>"


def _line(segment: Segment, *, named: bool) -> str:
    name = f"<b>{escape(segment.speaker)}</b> " if named and segment.speaker else ""
    text = " ".join(_words(segment)) if segment.words else escape(segment.text)
    return f'<p dir="auto" title="{segment.start:.1f} to {segment.end:.1f} s">{name}{text}</p>'


def _words(segment: Segment) -> Iterator[str]:
    for word in segment.words:
        style = _style(word)
        if style:
            about = f"{word.probability:.0%} at {word.start:.1f} s"
            yield f'<span style="{style}" title="{about}">{escape(word.word)}</span>'
        else:
            yield escape(word.word)


def _style(word: Word) -> str | None:
    if word.probability is None:
        return None
    return next((style for limit, style in DOUBTS if word.probability < limit), None)


def _player(name: str | None) -> str:
    """Embed the recording, if it is there and small: a notebook is served from elsewhere, and links lead nowhere."""
    try:
        path = Path(name or "")
        if not name or path.stat().st_size > MOST_BYTES:
            return ""
        return f'<audio controls src="{data_address(path)}"></audio>'
    except (OSError, ValueError):
        return ""
