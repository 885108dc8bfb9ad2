"""A Transcript in Python and in a notebook: saved by suffix, short in a repr, coloured where it is doubtful."""

import inspect
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

import asr_s2s
from asr_s2s.manifest import Word
from asr_s2s.recognizer.options import ComputeOptions, DecodeOptions
from asr_s2s.transcripts import FORMATS, CaptionShape, Segment, Transcript, TranscriptError, shaped

pytestmark = pytest.mark.unit

CLIP = Path(__file__).parents[1] / "data" / "lbby5a.ogg"
SAID = "a <b> long sentence of words, more of them than one line can hold"
WORDS = tuple(Word(word, at / 2, at / 2 + 0.4, round(0.95 - at / 10, 2)) for at, word in enumerate(SAID.split()[:9]))
TALK = Transcript(
    (Segment(0.0, 7.0, SAID, WORDS, 0.5, {"low_confidence": 0.3}), Segment(8.0, 9.0, "Yes.")),
    duration=9.5,
    audio_path=str(CLIP),
    model="en",
)


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("srt", "vtt", "html")])
def test_the_suffix_names_the_format(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"a talk{FORMATS[name].suffix.upper()}"
    talk = replace(TALK, segments=TALK.segments[:1])
    talk.save(path)
    link = {"audio_path": os.path.relpath(CLIP, tmp_path)} if name == "jsonl" else {}  # as a manifest has it
    assert path.read_text(encoding="utf-8") == FORMATS[name].write(replace(talk, **link))


def test_captions_are_shaped_and_a_page_links_from_where_it_lies(tmp_path: Path) -> None:
    TALK.save(str(tmp_path / "talk.srt"))
    captions = shaped(TALK, CaptionShape())
    assert (tmp_path / "talk.srt").read_text() == TALK.to_srt() == FORMATS["srt"].write(captions)
    assert TALK.to_vtt(max_line_width=20) == FORMATS["vtt"].write(shaped(TALK, CaptionShape(max_line_width=20)))
    assert "<00:00:00.500>" in TALK.to_vtt(highlight_words=True)
    (tmp_path / "pages").mkdir()
    local = replace(TALK, audio_path=str(tmp_path / "clip.ogg"))
    local.save(tmp_path / "pages" / "talk.html")
    page = (tmp_path / "pages" / "talk.html").read_text(encoding="utf-8")
    assert 'class="audio">../clip.ogg<' in page
    assert FORMATS["html"].read(page) == local


def test_another_suffix_is_refused_and_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    with pytest.raises(TranscriptError, match=r"talk\.doc: no format has this suffix\. Use one of \.txt, \.json"):
        TALK.save(tmp_path / "talk.doc")
    (tmp_path / "talk.ctm").write_text("mine")
    with pytest.raises(TranscriptError, match="no word times"):
        TALK.save(tmp_path / "talk.ctm")
    assert [path.name for path in tmp_path.iterdir()] == ["talk.ctm"]
    assert (tmp_path / "talk.ctm").read_text() == "mine"


def test_a_dictionary_is_what_a_json_file_holds() -> None:
    assert TALK.to_dict() == json.loads(FORMATS["json"].write(TALK))


def test_a_repr_is_short_whatever_the_length() -> None:
    assert repr(TALK.segments[1]) == "Segment(8.00 to 9.00 s, 'Yes.', 0 words)"
    assert repr(TALK) == (
        "Transcript('a <b> long sentence of words, more of them than one line can...', 9.5 s, 2 segments, "
        f"confidence {TALK.confidence:.2f}, low_confidence)"
    )
    long = replace(TALK, segments=tuple(replace(TALK.segments[0], text="word " * 10_000) for _ in range(1_000)))
    assert len(repr(long)) < 200


def test_a_report_and_a_recogniser_are_short_in_a_repr() -> None:
    assert (
        repr(asr_s2s.score(["a b", "c"], ["a x", "c"]))
        == "Report('hypotheses', WER 33.33 % of 3 words in 2 utterances)"
    )
    assert repr(asr_s2s.load("commands")) == "Recognizer('commands')"
    assert (
        repr(asr_s2s.load("commands", beam=1, hotwords=["now"])) == "Recognizer('commands', beam=1, hotwords=('now',))"
    )


def test_a_notebook_shows_text_doubt_and_player_and_no_script() -> None:
    shown = TALK._repr_html_()
    assert '<audio controls src="data:audio/ogg;base64,' in shown
    spans = re.findall(r'<span style="([^"]*)" title="(\d+)% at [\d.]+ s">([^<]*)</span>', shown)
    assert [(int(share), text) for _, share, text in spans] == [
        (round(100 * word.probability), word.word.replace("<b>", "&lt;b&gt;"))
        for word in WORDS
        if word.probability is not None and word.probability < 0.85
    ]
    assert len({style for style, _, _ in spans}) == 3
    assert "&lt;b&gt;" in shown
    assert "<b>" not in shown
    assert "script" not in shown
    assert "<audio" not in replace(TALK, audio_path="nowhere.wav")._repr_html_()
    assert "<audio" not in replace(TALK, audio_path=None)._repr_html_()


def test_public_names_are_listed_before_they_are_imported() -> None:
    assert set(asr_s2s.__all__) <= set(dir(asr_s2s))


def test_load_shows_every_option_with_the_default_that_it_has() -> None:
    shown = {name: one.default for name, one in inspect.signature(asr_s2s.load).parameters.items() if name != "model"}
    options = {**ComputeOptions.model_fields, **DecodeOptions.model_fields}
    assert shown == {name: field.default for name, field in options.items()}
    assert all(f"    {name}: " in (asr_s2s.load.__doc__ or "") for name in shown)
    with pytest.raises(TypeError, match="beams"):
        asr_s2s.load("commands", beams=3)  # type: ignore[call-arg]  # which a type checker finds too
