"""Captions: nothing of the text is lost, lines are short and balanced, times stay in order and are long enough."""

from dataclasses import replace
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr_s2s.manifest import Word
from asr_s2s.transcripts import CaptionShape, Segment, Transcript, shaped, srt
from asr_s2s.transcripts.scripts import breakable, display_width, joined

pytestmark = pytest.mark.unit

PAUSE, SPEED = 1.0, 21.0  # seconds between captions, characters a second

CHINESE = "今天的天气真的很好，我们大家一起去公园里散步，然后在湖边的小餐馆吃午饭，你觉得这个主意怎么样？"
THAI = "สวัสดีครับวันนี้อากาศดีมากเราไปเดินเล่นที่สวนสาธารณะกันเถอะแล้วค่อยกินข้าวกลางวันด้วยกัน"


def transcript(*words: tuple[str, float, float], duration: float | None = None) -> Transcript:
    made = tuple(Word(*word) for word in words)
    whole = Segment(made[0].start, made[-1].end, " ".join(word.word for word in made), made)
    return Transcript((whole,), duration=duration or made[-1].end)


@st.composite
def spoken(draw: st.DrawFn, most: int = 40) -> Transcript:
    alphabet = draw(st.sampled_from(["ab.?", "字。（a", "กเำ่b"]))
    texts = draw(st.lists(st.text(alphabet, min_size=1, max_size=12), min_size=1, max_size=most))
    now, segments, words = 0.0, [], []
    for text in texts:
        start = now + draw(st.sampled_from([0.0, 0.2, 0.5, 2.0]))
        now = start + draw(st.sampled_from([0.1, 0.5, 3.0]))
        words.append(Word(text, start, now))
        if draw(st.integers(0, 9)) == 0:
            segments.append(Segment(words[0].start, now, " ".join(word.word for word in words), tuple(words)))
            words = []
    if words:
        segments.append(Segment(words[0].start, now, " ".join(word.word for word in words), tuple(words)))
    return Transcript(tuple(segments), duration=now + draw(st.sampled_from([0.0, 5.0])))


@given(whole=spoken(), width=st.integers(1, 50), count=st.integers(1, 3))
def test_captions_hold_every_word_once_in_lines_that_fit(whole: Transcript, width: int, count: int) -> None:
    captions = shaped(whole, CaptionShape(max_line_width=width, max_line_count=count)).segments
    letters = "".join(whole.text.split())
    assert "".join("".join(caption.text.split()) for caption in captions) == letters
    assert "".join(word.word for caption in captions for word in caption.words) == letters
    for caption in captions:
        lines = caption.text.split("\n")
        assert len(lines) <= count
        assert all(display_width(line) <= width or len(breakable(line)) == 1 for line in lines if " " not in line)
        assert all(display_width(line) <= width for line in lines if " " in line)
        assert [word.word for word in caption.words] == caption.text.split()


@given(whole=spoken())
def test_captions_follow_the_speech_and_stay_as_long_as_it_takes_to_read_them(whole: Transcript) -> None:
    captions = shaped(whole, CaptionShape()).segments
    edges = [edge for caption in captions for edge in (caption.start, caption.end)]
    assert edges == sorted(edges)
    assert edges[-1] <= whole.duration
    for caption, limit in zip(captions, [*(one.start for one in captions[1:]), whole.duration], strict=True):
        assert caption.start == caption.words[0].start
        assert caption.end >= caption.words[-1].end
        enough = max(1.0, display_width(caption.text) / SPEED)
        assert caption.end == pytest.approx(max(caption.words[-1].end, min(caption.start + enough, limit)))
        assert all(second.start - first.end < PAUSE for first, second in pairwise(caption.words))


@given(lengths=st.lists(st.integers(1, 12), min_size=2, max_size=7), width=st.integers(5, 20), count=st.integers(1, 3))
def test_no_word_stands_alone_on_a_line_where_that_can_be_avoided(lengths: list[int], width: int, count: int) -> None:
    whole = transcript(*[("a" * length, at / 2, at / 2 + 0.4) for at, length in enumerate(lengths)])
    captions = shaped(whole, CaptionShape(max_line_width=width, max_line_count=count)).segments
    found = sum(" " not in line for caption in captions for line in caption.text.split("\n"))
    least = len(lengths)
    for number in range(len(lengths)):  # all ways to break the words into lines, which captions can hold in any number
        for breaks in combinations(range(1, len(lengths)), number):
            lines = [lengths[first:end] for first, end in pairwise([0, *breaks, len(lengths)])]
            if all(len(line) == 1 or sum(line) + len(line) - 1 <= width for line in lines):
                least = min(least, sum(len(line) == 1 for line in lines))
    assert found == least


def test_lines_are_balanced_and_break_after_phrases() -> None:
    text = "The caption that follows from this sentence, however, is too long for a line"
    whole = transcript(*[(word, at / 2, at / 2 + 0.4) for at, word in enumerate(text.split())])
    (caption,) = shaped(whole, CaptionShape(max_seconds=20.0)).segments
    assert caption.text == "The caption that follows from this\nsentence, however, is too long for a line"


def test_a_pause_and_the_end_of_a_sentence_end_a_caption() -> None:
    pause = shaped(transcript(("one", 0, 0.5), ("two", 0.5, 1.0), ("three", 2.5, 3.0), duration=9), CaptionShape())
    assert [(one.text, one.start, one.end) for one in pause.segments] == [("one two", 0, 1.0), ("three", 2.5, 3.5)]
    said = "It is late enough now. Go home with all the others, and sleep"
    words = [(word, at / 2, at / 2 + 0.4) for at, word in enumerate(said.split())]
    sentences = shaped(transcript(*words), CaptionShape(max_line_count=1)).segments
    assert [one.text for one in sentences] == ["It is late enough now.", "Go home with all the others, and sleep"]


def test_a_caption_is_no_longer_than_its_recording() -> None:
    found = shaped(transcript(("right", 0, 0.2), ("on", 3.0, 3.1), duration=3.5), CaptionShape()).segments
    assert [(one.start, one.end) for one in found] == [(0, 1.0), (3.0, 3.5)]


def test_neighbours_of_one_speaker_share_a_caption_and_those_of_two_do_not() -> None:
    first, second = transcript(("Yes", 0, 0.5)).segments[0], transcript(("indeed.", 0.9, 1.4)).segments[0]
    together = shaped(Transcript((first, second), duration=2), CaptionShape())
    assert [one.text for one in together.segments] == ["Yes indeed."]
    apart = shaped(Transcript((replace(first, speaker="a"), replace(second, speaker="b")), duration=2), CaptionShape())
    assert [(one.text, one.speaker) for one in apart.segments] == [("a: Yes", "a"), ("b: indeed.", "b")]


@pytest.mark.parametrize("text", [CHINESE, THAI])
def test_scripts_without_spaces_are_broken_by_width_and_read_back_whole(text: str) -> None:
    whole = transcript((text, 0, 12))
    captions = shaped(whole, CaptionShape()).segments
    lines = [line for caption in captions for line in caption.text.split("\n")]
    assert "".join(lines) == text
    assert all(display_width(line) <= 42 for line in lines)
    assert not any(line[0] in "，。？、ะาำ่้ี" for line in lines), "what belongs to the character before"
    assert [caption.start for caption in captions] == sorted(caption.start for caption in captions)
    read = srt.read(srt.write(shaped(whole, CaptionShape())))
    assert "".join(segment.text for segment in read.segments) == text


def test_lines_are_joined_as_their_script_wants_it() -> None:
    assert joined(["a  b", "", "c"]) == "a b c"
    assert joined(["我们", "去吧。", "OK 了"]) == "我们去吧。 OK 了"


def test_a_segment_without_word_times_keeps_its_text() -> None:
    whole = Transcript((Segment(0, 20, "so it is " * 30),), duration=20)
    assert [one.text for one in shaped(whole, CaptionShape()).segments] == ["so it is " * 30]
