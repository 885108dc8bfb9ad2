"""The page of a transcript: it holds the transcript, escaped, and reaches out for nothing but its recording."""

import base64
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from asr_s2s.manifest import Word
from asr_s2s.transcripts import FORMATS, Segment, Transcript, TranscriptError, html

pytestmark = pytest.mark.unit

CLIP = Path(__file__).parents[1] / "data" / "lbby5a.ogg"
HOSTILE = "</script><script>alert(1)</script><!-- & \" '"


def test_what_is_written_is_read_back_whatever_the_texts_say() -> None:
    odd = Transcript(
        (Segment(0.5, 1.5, HOSTILE, (Word(HOSTILE, 0.5, 1.5, 0.25),), 0.5, {"loop": 3.0}, speaker=HOSTILE, channel=1),),
        duration=2.0,
        audio_path=f"{HOSTILE}.wav",
        notes=(HOSTILE, "$title"),
    )
    page = FORMATS["html"].write(odd)
    assert FORMATS["html"].read(page) == odd
    assert page.count("<script") == 3, "the payload, the recording's address and the program"
    assert "alert(1)</script>" not in page
    with pytest.raises(TranscriptError, match=r"page\.html: is no page of a transcript"):
        FORMATS["html"].read("<html></html>", origin="page.html")


def test_the_page_links_its_recording_from_where_it_lies_and_names_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    shutil.copy(CLIP, tmp_path / "a b#1.ogg")
    transcript = Transcript((), duration=1.0, audio_path=str(tmp_path / "a b#1.ogg"))
    page = html.write(transcript, folder=tmp_path / "out")
    assert re.findall(r'class="audio">(.*?)</script>', page) == ["../a%20b%231.ogg"]
    assert re.findall(r"(?:https?:)?//\w[\w.]*\.\w+", page.replace("http://www.w3.org/2000/svg", "")) == []


def test_an_embedded_recording_is_the_file_itself(tmp_path: Path) -> None:
    transcript = Transcript((), duration=1.0, audio_path=str(CLIP))
    address = re.findall(
        r'class="audio">data:audio/ogg;base64,(.*?)</script>', html.write(transcript, embed_audio=True)
    )
    assert base64.b64decode(address[0]) == CLIP.read_bytes()
    lost = replace(transcript, audio_path=str(tmp_path / "lost.ogg"))
    with pytest.raises(TranscriptError, match=r"lost\.ogg: cannot be put into the page \(No such file"):
        html.write(lost, embed_audio=True)
