"""Two channels as one dialogue: every word once, in the order of time, with the names of those who speak."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr_s2s.manifest import Word
from asr_s2s.transcripts import FORMATS, CaptionShape, Phrases, Segment, Transcript, dialogue, in_channel, shaped

pytestmark = pytest.mark.unit


def channel(number: int, speaker: str, *segments: str, starts: tuple[float, ...]) -> Transcript:
    """Make segments that begin at given seconds, with a word each half second."""
    made = []
    for text, start in zip(segments, starts, strict=True):
        words = [
            Word(word, start + at / 2, start + at / 2 + 0.4) for at, word in enumerate(text.split()) if word != "_"
        ]
        made.append(Segment(start, words[-1].end, " ".join(word.word for word in words), tuple(words)))
    return in_channel(Transcript(tuple(made), duration=20.0, audio_path="a call.wav"), number, speaker=speaker)


AGENT = channel(1, "agent", "Good morning. _ _ _ Your number please.", "Thank you.", starts=(0.5, 7.0))
CALLER = channel(2, "caller", "Hello.", "Four two.", starts=(1.9, 4.6))
CALL = dialogue([AGENT, CALLER])


def test_a_segment_is_cut_where_the_other_speaks_in_its_pause() -> None:
    assert [(turn.speaker, turn.channel, turn.start, turn.text) for turn in CALL.segments] == [
        ("agent", 1, 0.5, "Good morning."),
        ("caller", 2, 1.9, "Hello."),
        ("agent", 1, 3.0, "Your number please."),
        ("caller", 2, 4.6, "Four two."),
        ("agent", 1, 7.0, "Thank you."),
    ]


moments = st.lists(st.tuples(st.floats(0, 2), st.floats(0.01, 2)), max_size=12)


@given(ours=moments, theirs=moments)
def test_a_dialogue_keeps_each_word_of_each_channel_once_and_in_order(
    ours: list[tuple[float, float]], theirs: list[tuple[float, float]]
) -> None:
    channels = []
    for number, spans in enumerate((ours, theirs), start=1):
        now, words = 0.0, []
        for pause, length in spans:
            words.append(Word(f"{number}.{len(words)}", now + pause, now + pause + length))
            now = words[-1].end
        segments = (Segment(words[0].start, now, " ".join(word.word for word in words), tuple(words)),) if words else ()
        channels.append(in_channel(Transcript(segments, duration=60), number, speaker=str(number)))
    whole = dialogue(channels)
    starts = [segment.start for segment in whole.segments]
    assert starts == sorted(starts)
    for number, alone in enumerate(channels, start=1):
        mine = [segment for segment in whole.segments if segment.channel == number]
        assert [word for segment in mine for word in segment.words] == list(alone.words)
        assert " ".join(segment.text for segment in mine) == alone.text


def test_names_stand_before_each_turn_and_captions_stay_within_their_lines() -> None:
    assert FORMATS["txt"].write(CALL).splitlines()[:2] == ["agent: Good morning.", "caller: Hello."]
    captions = shaped(CALL, CaptionShape(max_line_width=20))
    assert FORMATS["srt"].write(captions).split("\n\n")[2] == (
        "3\n00:00:03,000 --> 00:00:04,400\nagent: Your\nnumber please."
    )
    assert [segment.text for segment in FORMATS["srt"].read(FORMATS["srt"].write(CALL)).segments][
        -1
    ] == "agent: Thank you."
    assert FORMATS["json"].read(FORMATS["json"].write(CALL)) == CALL


def test_no_name_is_written_where_one_alone_speaks() -> None:
    assert FORMATS["txt"].write(AGENT) == "Good morning. Your number please.\nThank you.\n"


def test_the_columns_of_research_formats_tell_channels_apart() -> None:
    ctm = [line.split()[:2] for line in FORMATS["ctm"].write(CALL).splitlines()]
    assert ctm[:3] == [["a_call", "1"], ["a_call", "1"], ["a_call", "2"]]
    stm = [line.split()[:3] for line in FORMATS["stm"].write(CALL).splitlines()]
    assert stm[:2] == [["a_call", "1", "agent"], ["a_call", "2", "caller"]]
    assert FORMATS["trn"].write(CALLER) == "Hello. Four two. (a_call-2)\n"
    assert '"speaker": "caller"' in FORMATS["seglst"].write(CALL)


def test_a_textgrid_has_tiers_for_each_speaker_and_is_read_back() -> None:
    odd = dialogue([AGENT, in_channel(CALLER, 2, speaker='the "other"')])
    read = FORMATS["textgrid"].read(FORMATS["textgrid"].write(odd))
    assert [(one.speaker, one.text, len(one.words)) for one in read.segments] == [
        (one.speaker, one.text, len(one.words)) for one in odd.segments
    ]


def test_a_silent_channel_leaves_the_other_named() -> None:
    silent = Transcript((Segment(0, 20, "", flags={"no_speech": 1.0}),), duration=20.0)
    whole = dialogue([AGENT, in_channel(silent, 2, speaker="caller")])
    assert whole.flags == {"no_speech": 1.0}
    assert FORMATS["txt"].write(whole).startswith("agent: Good morning.")


def test_what_was_noted_of_all_channels_is_kept_once() -> None:
    noted = [replace(each, notes=("two tracks",)) for each in (AGENT, CALLER)]
    assert dialogue(noted).notes == ("two tracks",)
    assert Path(str(dialogue(noted).audio_path)).name == "a call.wav"


def test_phrases_are_counted_whatever_their_capitals_and_signs() -> None:
    phrases = Phrases(["Aurora Borealis", "aurora", "O'Brien", "公园", "Borealis", "none", "!"])
    found = phrases.count("The AURORA, borealis! O'Brien's aurora. 我们去公园里散步")
    assert found == {"Aurora Borealis": 1, "aurora": 2, "O'Brien": 1, "公园": 1, "Borealis": 1}
