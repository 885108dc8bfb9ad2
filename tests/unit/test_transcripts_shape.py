"""Captions: nothing of the text is lost, lines are short, times stay in order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr_s2s.manifest import Word
from asr_s2s.transcripts import CaptionShape, Segment, Transcript, shaped

pytestmark = pytest.mark.unit


def transcript(*words: tuple[str, float, float]) -> Transcript:
    made = tuple(Word(*word) for word in words)
    whole = Segment(made[0].start, made[-1].end, " ".join(word.word for word in made), made)
    return Transcript((whole,), duration=made[-1].end)


@st.composite
def spoken(draw: st.DrawFn) -> Transcript:
    texts = draw(st.lists(st.text("ab.?", min_size=1, max_size=12), min_size=1, max_size=40))
    now, words = 0.0, []
    for text in texts:
        start = now + draw(st.sampled_from([0.0, 0.2, 2.0]))
        now = start + draw(st.sampled_from([0.1, 0.5, 3.0]))
        words.append((text, start, now))
    return transcript(*words)


@given(whole=spoken(), width=st.integers(1, 50), count=st.integers(1, 3))
def test_captions_hold_every_word_once_in_lines_that_fit(whole: Transcript, width: int, count: int) -> None:
    captions = shaped(whole, CaptionShape(max_line_width=width, max_line_count=count)).segments
    assert " ".join(caption.text for caption in captions).split() == whole.text.split()
    assert [word for caption in captions for word in caption.words] == list(whole.words)
    for caption in captions:
        lines = caption.text.split("\n")
        assert len(lines) <= count
        assert all(len(line) <= width or " " not in line for line in lines)
    edges = [edge for caption in captions for edge in (caption.start, caption.end)]
    assert edges == sorted(edges)


def test_a_pause_and_the_end_of_a_sentence_end_a_caption() -> None:
    shape = CaptionShape(max_line_width=20, max_line_count=2)
    pause = shaped(transcript(("one", 0, 0.5), ("two", 0.5, 1.0), ("three", 2.5, 3.0)), shape)
    assert [(one.text, one.start, one.end) for one in pause.segments] == [("one two", 0, 1.0), ("three", 2.5, 3.5)]
    sentence = shaped(transcript(("It is late enough now.", 0, 2), ("Go", 2, 3)), shape)
    assert [one.text for one in sentence.segments] == ["It is late enough now.", "Go"]
    early = shaped(transcript(("No.", 0, 2), ("Go", 2, 3)), shape)
    assert [one.text for one in early.segments] == ["No. Go"]


def test_a_caption_stays_a_second_unless_the_next_begins() -> None:
    shape = CaptionShape(max_line_width=5, max_line_count=1)
    found = shaped(transcript(("right", 0, 0.2), ("left", 0.4, 0.5), ("on", 3.0, 3.1)), shape).segments
    assert [(one.start, one.end) for one in found] == [(0, 0.4), (0.4, 1.4), (3.0, 4.0)]


def test_a_segment_without_word_times_stays() -> None:
    whole = Transcript((Segment(0, 20, "so it is " * 30),), duration=20)
    assert shaped(whole, CaptionShape()) == whole
