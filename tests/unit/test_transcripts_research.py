"""Formats of research tools: read undoes write, and independent readers find the same words and times."""

import itertools
import subprocess
from pathlib import Path

import pysubs2
import pytest
import webvtt
from debian import program
from hypothesis import example, given
from hypothesis import strategies as st
from praatio import textgrid

from asr_s2s.manifest import Word
from asr_s2s.transcripts import FORMATS, CaptionShape, Segment, Transcript, TranscriptError, shaped, vtt

pytestmark = pytest.mark.unit

texts = st.text() | st.sampled_from(["<i> b", "a (b)", 'say "x"', ";; c", 'name = "y"', "1\t2\t3"])
seconds = st.integers(0, 10**8).map(lambda count: count / 1000)
segments = st.builds(lambda a, b, text: Segment(min(a, b), max(a, b), text), seconds, seconds, texts)
transcripts = st.lists(segments, max_size=4).map(
    lambda found: Transcript(tuple(found), duration=max((one.end for one in found), default=0.0))
)

TALK = Transcript(
    segments=(
        Segment(
            1.25,
            2.75,
            "It's so, she said.",
            (Word("It's", 1.3, 1.5, 0.9), Word("so,", 1.5, 1.82, 0.5), Word("she", 2.0, 2.2), Word("said.", 2.2, 2.7)),
        ),
        Segment(4.0, 5.5, '"Größe"', (Word('"Größe"', 4.1, 5.25, 0.25),)),
    ),
    duration=6.0,
    audio_path="calls/two talks.wav",
)


def spoken(transcript: Transcript) -> list[Segment]:
    found = [(one, " ".join(one.text.split())) for one in transcript.segments]
    return [Segment(one.start, one.end, text) for one, text in found if text]


@pytest.mark.parametrize("name", ["tsv", "stm", "seglst"])
@given(transcript=transcripts)
def test_segments_keep_their_text_and_times_to_the_millisecond(name: str, transcript: Transcript) -> None:
    assert list(FORMATS[name].read(FORMATS[name].write(transcript)).segments) == spoken(transcript)


@given(transcript=transcripts)
def test_a_line_for_sclite_keeps_the_whole_text(transcript: Transcript) -> None:
    written = FORMATS["trn"].write(transcript)
    assert written.count("\n") == 1
    assert FORMATS["trn"].read(written).text == " ".join(transcript.text.split())


@given(lengths=st.lists(st.integers(1, 5000), max_size=6), found=st.data())
@example(lengths=[2], found=None)
def test_a_textgrid_keeps_what_does_not_overlap(lengths: list[int], found: st.DataObject | None) -> None:
    edges = [sum(lengths[:count]) / 1000 for count in range(len(lengths) + 1)]
    made = [
        Segment(start, end, 'x = "1"' if found is None else found.draw(texts))
        for start, end in itertools.pairwise(edges)
    ]
    transcript = Transcript(tuple(made), duration=edges[-1])
    read = FORMATS["textgrid"].read(FORMATS["textgrid"].write(transcript))
    assert list(read.segments) == spoken(transcript)
    assert read.duration == edges[-1]


def test_words_keep_their_times_in_ctm_and_textgrid() -> None:
    ctm = FORMATS["ctm"].read(FORMATS["ctm"].write(TALK))
    assert ctm.words == TALK.words
    grid = FORMATS["textgrid"].read(FORMATS["textgrid"].write(TALK))
    assert [(word.word, word.start, word.end) for word in grid.words] == [(w.word, w.start, w.end) for w in TALK.words]
    assert [len(segment.words) for segment in grid.segments] == [4, 1]


def test_a_ctm_without_word_times_is_refused() -> None:
    with pytest.raises(TranscriptError, match="'so' has no word times"):
        FORMATS["ctm"].write(Transcript((Segment(0, 1, "so"),), duration=1.0))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("tsv", "one\ttwo", "talk:1: begins with"),
        ("tsv", "start\tend\ttext\n1\tx\ty", "talk:2: .* has no two times"),
        ("ctm", "a 1 0.5 x word", "talk:1: .* is no word of a ctm file"),
        ("stm", "a 1 who 0.5", "talk:1: .* is no segment of an stm file"),
        ("trn", "one two", "talk:1: 'one two' ends without a name"),
        ("textgrid", "one", "talk: is no TextGrid"),
        ("seglst", '[{"words": "a"}]', "talk: 0.session_id: Field required"),
        ("seglst", "{", "talk: it: Invalid JSON"),
    ],
)
def test_what_is_no_such_file_is_named(name: str, text: str, message: str) -> None:
    with pytest.raises(TranscriptError, match=message):
        FORMATS[name].read(text, origin="talk")


def test_praat_finds_the_same_tiers(tmp_path: Path) -> None:
    (tmp_path / "talk.TextGrid").write_text(FORMATS["textgrid"].write(TALK), encoding="utf-8")
    grid = textgrid.openTextgrid(str(tmp_path / "talk.TextGrid"), includeEmptyIntervals=False)
    assert grid.tierNames == ("segments", "words")
    found = [(one.start, one.end, one.label) for one in grid.getTier("words").entries]
    assert found == [(word.start, word.end, word.word) for word in TALK.words]
    assert grid.maxTimestamp == TALK.duration


def test_other_readers_of_captions_find_the_same_texts_and_times(tmp_path: Path) -> None:
    expected = [(segment.start, segment.end, segment.text) for segment in TALK.segments]
    srt = pysubs2.SSAFile.from_string(FORMATS["srt"].write(TALK), format_="srt")
    assert [(one.start / 1000, one.end / 1000, one.text) for one in srt] == expected
    vtt = webvtt.from_string(FORMATS["vtt"].write(TALK))
    assert [(one.start, one.end, one.text) for one in vtt] == [
        ("00:00:01.250", "00:00:02.750", "It's so, she said."),
        ("00:00:04.000", "00:00:05.500", '"Größe"'),
    ]


def test_sclite_scores_ctm_against_stm_and_trn_against_trn_without_errors(tmp_path: Path) -> None:
    for name in ("ctm", "stm", "trn"):
        (tmp_path / f"talk.{name}").write_text(FORMATS[name].write(TALK), encoding="utf-8")
    for reference, kind, hypothesis, other in (("stm", "stm", "ctm", "ctm"), ("trn", "trn", "trn", "trn")):
        command = [
            program("sclite", package="sctk"),
            "-r",
            f"talk.{reference}",
            kind,
            "-h",
            f"talk.{hypothesis}",
            other,
        ]
        command += ["-i", "rm"] if kind == "trn" else []
        done = subprocess.run(
            [*command, "-o", "sum", "stdout"], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        (total,) = [line for line in done.stdout.splitlines() if "Sum/Avg" in line]
        words, right = (float(number) for number in total.replace("|", " ").split()[2:4])
        assert (words, right) == (5, 100.0)


def test_highlighted_captions_time_each_word_and_read_the_same(tmp_path: Path) -> None:
    talk = shaped(TALK, CaptionShape(max_line_width=10))
    written = vtt.write(talk, highlight_words=True)
    assert "\n00:00:01.300 --> 00:00:02.700\nIt's <00:00:01.500>so,\n<00:00:02.000>she <00:00:02.200>said.\n" in written
    assert "::cue(:future)" in written
    (tmp_path / "talk.vtt").write_text(written)
    read = webvtt.read(tmp_path / "talk.vtt")
    assert [caption.text for caption in read] == ["It's so,\nshe said.", '"Größe"']
    assert FORMATS["vtt"].read(written) == FORMATS["vtt"].read(vtt.write(talk))


def test_a_word_that_looks_like_a_tag_stays_a_word_when_highlighted() -> None:
    odd = Transcript((Segment(0.0, 2.0, "<b> & c", (Word("<b>", 0, 0.5), Word("&", 0.5, 1), Word("c", 1, 2))),), 2.0)
    written = vtt.write(odd, highlight_words=True)
    assert written.endswith("&lt;b&gt; <00:00:00.500>&amp; <00:00:01.000>c\n")
    assert FORMATS["vtt"].read(written).text == "<b> & c"


def test_meeteval_reads_the_segments(tmp_path: Path) -> None:
    meeteval = pytest.importorskip(
        "meeteval", reason="pip install 'asr-s2s[meetings]', which needs a C++ compiler and a minute"
    )
    path = tmp_path / "talk.seglst.json"
    path.write_text(FORMATS["seglst"].write(TALK), encoding="utf-8")
    found = [(float(one["start_time"]), float(one["end_time"]), one["words"]) for one in meeteval.io.load(path)]
    assert found == [(segment.start, segment.end, segment.text) for segment in TALK.segments]
