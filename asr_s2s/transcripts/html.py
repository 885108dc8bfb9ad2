"""A page that shows and plays a transcript, its words coloured by doubt; it fetches nothing but the recording."""

import re
from pathlib import Path

from asr_s2s.errors import TranscriptError
from asr_s2s.transcripts import json as json_format
from asr_s2s.transcripts import page
from asr_s2s.transcripts.transcript import Transcript

suffix = ".html"

UNNAMED = "Transcript"
PAYLOAD = re.compile(r'<script type="application/json" id="payload">(.*?)</script>', re.DOTALL)


def write(transcript: Transcript, *, folder: Path = Path(), embed_audio: bool = False) -> str:
    """Write the page, which holds the transcript as JSON too.

    folder: where the page will lie; the link to the recording starts there
    embed_audio: put the recording into the page. Raises TranscriptError if it cannot be read.
    """
    path = Path(transcript.audio_path) if transcript.audio_path else None
    audio = [_embedded(path) if embed_audio else page.link(path, folder=folder)] if path else []
    return page.document(
        page.SHARED["transcript.html"],
        transcript.to_dict(),
        title=path.name if path else UNNAMED,
        styles=[page.SHARED["base.css"], page.SHARED["transcript.css"]],
        scripts=[page.SHARED[name] for name in ("elements.js", "player.js", "transcript.js")],
        audio=audio,
    )


def read(text: str, *, origin: str = "transcript") -> Transcript:
    """Read the transcript that a page holds. Raises TranscriptError for another page."""
    found = PAYLOAD.search(text)
    if found is None:
        raise TranscriptError(f"{origin}: is no page of a transcript. Write it again with asr-s2s transcribe.")
    return json_format.read(found[1], origin=origin)


def _embedded(path: Path) -> str:
    try:
        return page.data_address(path)
    except OSError as error:
        raise TranscriptError(
            f"{path}: cannot be put into the page ({error.strerror}). Leave --embed-audio out to link to it."
        ) from error
