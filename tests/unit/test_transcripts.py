"""Transcript formats: read undoes write, for what each format can hold."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from asr_s2s.errors import Damage
from asr_s2s.manifest import Word
from asr_s2s.transcripts import FORMATS, Segment, Transcript, TranscriptError
from asr_s2s.transcripts.json import schema
from asr_s2s.transcripts.jsonl import manifest_fields
from asr_s2s.transcripts.names import named

pytestmark = pytest.mark.unit

# A busy machine is no fault of the code.
calm = settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])

SCHEMA = Path(__file__).parents[2] / "docs" / "transcript.schema.json"

milliseconds = st.integers(0, 400 * 3600 * 1000)
seconds = milliseconds.map(lambda count: count / 1000)
shares = st.none() | st.integers(0, 10_000).map(lambda count: count / 10_000)
texts = st.text() | st.sampled_from(
    [
        "",
        "a --> b",
        "00:00:01,000 --> 00:00:02,000",
        "first\n\nsecond",
        "7",
        "NOTE x",
        "<i>&amp;lt;",
        "ä\u2028ß 字",
        "WEBVTT",
    ]
)
flags = st.dictionaries(st.sampled_from(["loop", "truncated", "low_coverage"]), st.floats(0, 9))


@st.composite
def spans(draw: st.DrawFn) -> tuple[float, float]:
    start, end = sorted((draw(milliseconds), draw(milliseconds)))
    return start / 1000, end / 1000


words = st.builds(lambda text, span, share: Word(text, *span, share), texts, spans(), shares)
segments = st.builds(
    lambda span, text, words, share, flags, repaired, speaker, language: Segment(
        *span, text, tuple(words), share, flags, repaired, *speaker, *language
    ),
    spans(),
    texts,
    st.lists(words, max_size=3),
    shares,
    flags,
    flags,
    st.sampled_from([(None, None), ("agent", 1), ("caller", 2)]),
    st.sampled_from([(None, None), ("de", None), ("yue", 0.5)]),
)
damages = st.builds(
    lambda span, is_open, reason: Damage(span[0], None if is_open else span[1], reason), spans(), st.booleans(), texts
)
transcripts = st.builds(
    Transcript,
    segments=st.lists(segments, max_size=4).map(tuple),
    duration=seconds,
    audio_path=st.none() | st.text(min_size=1),
    language=st.none() | st.just("de"),
    language_probability=shares,
    model=st.sampled_from(["", "en"]),
    time_source=st.none() | st.just("attention"),
    damage=st.lists(damages, max_size=2).map(tuple),
    notes=st.lists(texts, max_size=2).map(tuple),
)

EMPTY = Transcript((), duration=0.0)


def collapsed(text: str) -> str:
    return " ".join(text.split())


def in_captions(transcript: Transcript) -> Transcript:
    """What captions hold: times and texts, on one line each, of the segments in which something was said."""
    spoken = [segment for segment in named(transcript).segments if segment.text.strip()]
    kept = tuple(Segment(segment.start, segment.end, collapsed(segment.text)) for segment in spoken)
    return Transcript(kept, duration=max((segment.end for segment in kept), default=0.0))


@calm
@given(transcripts)
@example(EMPTY)
def test_json_keeps_everything(transcript: Transcript) -> None:
    assert FORMATS["json"].read(FORMATS["json"].write(transcript)) == transcript


@calm
@given(transcripts)
@example(EMPTY)
def test_a_manifest_line_keeps_all_but_the_cuts_between_segments(transcript: Transcript) -> None:
    line = FORMATS["jsonl"].write(transcript)
    assert line.count("\n") == 1
    read = FORMATS["jsonl"].read(line)
    assert (read.text, read.words, read.flags) == (transcript.text.strip(), transcript.words, transcript.flags)
    assert replace(read, segments=()) == replace(transcript, segments=())
    assert FORMATS["jsonl"].write(read) == line


def test_a_manifest_line_that_tells_of_nothing_has_no_segment() -> None:
    assert FORMATS["jsonl"].read(FORMATS["jsonl"].write(EMPTY)) == EMPTY


@pytest.mark.parametrize("name", ["srt", "vtt"])
@calm
@given(transcript=transcripts)
@example(transcript=EMPTY)
@example(transcript=Transcript((Segment(0.5, 1.0, "<i>&amp;lt; a --> b\n\n7"),), duration=1.0))
def test_captions_keep_texts_and_times_to_the_millisecond(name: str, transcript: Transcript) -> None:
    assert FORMATS[name].read(FORMATS[name].write(transcript)) == in_captions(transcript)


@calm
@given(transcripts)
@example(EMPTY)
def test_plain_text_keeps_the_words(transcript: Transcript) -> None:
    read = FORMATS["txt"].read(FORMATS["txt"].write(transcript))
    assert read.text == collapsed(named(transcript, everywhere=True).text)


def test_each_format_goes_by_its_suffix() -> None:
    special = {"textgrid": ".TextGrid", "seglst": ".seglst.json"}
    for name, each in FORMATS.items():
        assert each.suffix == special.get(name, f".{name}")


def test_times_are_rounded_to_the_nearest_millisecond_and_hours_may_pass_99() -> None:
    transcript = Transcript((Segment(3599.9996, 100 * 3600 + 0.0014, "late"),), duration=400_000)
    assert FORMATS["srt"].write(transcript) == "1\n01:00:00,000 --> 100:00:00,001\nlate\n"
    assert FORMATS["vtt"].write(transcript) == "WEBVTT\n\n01:00:00.000 --> 100:00:00.001\nlate\n"


def test_subrip_of_other_writers_may_lack_numbers_and_digits() -> None:
    text = "\ufeff0:00:01,5 --> 0:00:02,25 X1:100\r\none\r\ntwo\r\n\r\n\r\n2\r\n00:00:03.000 --> 00:00:04.000\r\nsix"
    assert FORMATS["srt"].read(text).segments == (Segment(1.5, 2.25, "one two"), Segment(3.0, 4.0, "six"))


def test_webvtt_of_other_writers_is_read_without_notes_styles_and_tags() -> None:
    text = (
        "\ufeffWEBVTT - a talk\r\n\r\nNOTE\r\nmade by hand\r\n\r\nSTYLE\r\n::cue { color: red }\r\n\r\n"
        "intro\r\n01:02.500 --> 01:03.250 align:start\r\n<v Ann>salt &amp;\r\n<i>pepper</i>\r\n\r\n"
    )
    assert FORMATS["vtt"].read(text).segments == (Segment(62.5, 63.25, "salt & pepper"),)


def test_a_caption_without_times_is_refused_with_its_line() -> None:
    with pytest.raises(TranscriptError, match=r"talk\.srt:5: '2' begins a caption without a time line\. Write"):
        FORMATS["srt"].read("1\n00:00:01,000 --> 00:00:02,000\none\n\n2\ntwo\n", origin="talk.srt")


def test_a_file_without_the_webvtt_header_is_refused() -> None:
    with pytest.raises(TranscriptError, match=r"talk\.vtt:1: is not WebVTT.*Add that line"):
        FORMATS["vtt"].read("1\n00:00:01,000 --> 00:00:02,000\none\n", origin="talk.vtt")


def test_a_json_of_a_later_version_is_refused() -> None:
    later = FORMATS["json"].write(EMPTY).replace('"version": 1', '"version": 2')
    with pytest.raises(TranscriptError, match=r"talk\.json: version: Input should be 1"):
        FORMATS["json"].read(later, origin="talk.json")


def test_every_fault_of_a_json_is_listed_at_once() -> None:
    text = '{"version": 1, "duration": -1, "segments": [{"start": 0, "end": "x", "text": "a"}]}'
    with pytest.raises(TranscriptError) as caught:
        FORMATS["json"].read(text)
    for path in ("text", "duration", "segments.0.end"):
        assert f"transcript: {path}: " in str(caught.value)


def test_the_published_schema_is_the_one_that_files_follow() -> None:
    made = "from asr_s2s.transcripts.json import schema; import json; print(json.dumps(schema(), indent=2))"
    assert json.loads(SCHEMA.read_text()) == schema(), f"run: python -c '{made}' > docs/transcript.schema.json"


def test_json_has_the_names_of_whisper() -> None:
    segment = Segment(0.0, 1.0, "hi", (Word("hi", 0.25, 0.5, 0.9),))
    written = json.loads(FORMATS["json"].write(Transcript((segment,), duration=1.0, language="en")))
    assert {"text", "segments", "language"} <= set(written)
    assert {"start", "end", "text", "words"} <= set(written["segments"][0])
    assert written["segments"][0]["words"] == [{"word": "hi", "start": 0.25, "end": 0.5, "probability": 0.9}]


def test_the_text_joins_the_segments_that_hold_any() -> None:
    transcript = Transcript((Segment(0, 1, " one "), Segment(1, 2, ""), Segment(2, 3, "two")), duration=3)
    assert transcript.text == "one two"


def test_the_confidence_weighs_segments_by_their_characters() -> None:
    segments = (
        Segment(0, 1, "abc", confidence=0.5),
        Segment(1, 2, "d", confidence=0.9),
        Segment(2, 3, "no confidence"),
    )
    assert Transcript(segments, duration=3).confidence == pytest.approx(0.6)
    assert EMPTY.confidence is None


def test_the_worst_value_of_a_flag_stands_for_the_recording() -> None:
    segments = (
        Segment(0, 1, "a", flags={"loop": 3.0, "low_coverage": 2.5, "low_confidence": 0.2}),
        Segment(1, 2, "b", flags={"loop": 5.0, "low_coverage": 1.5, "low_confidence": 0.3}),
    )
    assert Transcript(segments, duration=2).flags == {"loop": 5.0, "low_coverage": 2.5, "low_confidence": 0.2}


@given(st.floats(0, 1e4), st.lists(st.floats(0, 30), min_size=2, max_size=4, unique=True).map(sorted))
def test_a_segment_moves_in_time_with_its_words(seconds: float, edges: list[float]) -> None:
    words = (Word("a", edges[0], edges[1], 0.5),)
    segment = Segment(edges[0], edges[-1], "a", words, confidence=0.5, flags={"loop": 4.0})
    moved = segment.later(seconds)
    assert (moved.start, moved.end) == (edges[0] + seconds, edges[-1] + seconds)
    assert [(word.start, word.end) for word in moved.words] == [(edges[0] + seconds, edges[1] + seconds)]
    assert (moved.text, moved.confidence, moved.flags) == ("a", 0.5, {"loop": 4.0})


def test_manifest_fields_leave_out_what_is_unknown() -> None:
    assert manifest_fields(EMPTY) == {"pred_text": "", "flags": {}}
