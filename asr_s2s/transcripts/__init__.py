"""From a Transcript to the files that other programs read, and back.

Each format is a module with `suffix`, `write` and `read`; a new one is a module and an entry in FORMATS.
"""

from pathlib import Path
from typing import Protocol

from asr_s2s.errors import TranscriptError
from asr_s2s.transcripts import ctm, html, json, jsonl, notebook, seglst, srt, stm, textgrid, trn, tsv, txt, vtt
from asr_s2s.transcripts.dialogue import dialogue, in_channel
from asr_s2s.transcripts.phrases import Phrases
from asr_s2s.transcripts.shape import CaptionShape, shaped
from asr_s2s.transcripts.transcript import Segment, Transcript


class TranscriptFormat(Protocol):
    """What a format's module offers."""

    suffix: str

    def write(self, transcript: Transcript) -> str:
        """Return the content of the file."""
        ...

    def read(self, text: str, *, origin: str = "transcript") -> Transcript:
        """Return what the format can hold; origin begins each message. Raises TranscriptError."""
        ...


FORMATS: dict[str, TranscriptFormat] = {
    "txt": txt,
    "json": json,
    "jsonl": jsonl,
    "srt": srt,
    "vtt": vtt,
    "tsv": tsv,
    "ctm": ctm,
    "stm": stm,
    "trn": trn,
    "textgrid": textgrid,
    "seglst": seglst,
    "html": html,
}

CAPTIONS = ("srt", "vtt")


def content(
    name: str,
    transcript: Transcript,
    *,
    captions: Transcript | None = None,
    folder: Path,
    highlight_words: bool = False,
    embed_audio: bool = False,
) -> str:
    """Return the content of a file of a format.

    captions: the transcript in the shape of captions, for those formats; folder: where the file will lie
    Raises TranscriptError as the format does.
    """
    if name == "vtt":
        return vtt.write(captions or transcript, highlight_words=highlight_words)
    if name == "jsonl":
        return jsonl.write(transcript, folder=folder)
    if name == "html":
        return html.write(transcript, folder=folder, embed_audio=embed_audio)
    return FORMATS[name].write((captions or transcript) if name in CAPTIONS else transcript)


__all__ = [
    "CAPTIONS",
    "FORMATS",
    "CaptionShape",
    "Phrases",
    "Segment",
    "Transcript",
    "TranscriptError",
    "TranscriptFormat",
    "content",
    "dialogue",
    "in_channel",
    "notebook",
    "shaped",
]
