"""Normalizers; the expected texts are what OpenAI's own normalizers (openai-whisper 20250625) make of the lines."""

import unicodedata
from importlib.metadata import version

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from asr_s2s.errors import ScoringError
from asr_s2s.text.normalizers import NORMALIZERS, normalizer

pytestmark = pytest.mark.unit

GOLDEN = [
    (
        "Mr. Smith can't pay twenty-three dollars [laughs] on the 2nd.",
        "mr smith can t pay twenty three dollars on the 2nd",
        "mister smith can not pay $23 on the 2nd",
    ),
    ("Um, the colour (he said) is GREY: 1,000 %!", "um the colour is grey 1 000", "the color is gray 1000"),
    (
        "Don't naïve café—œuvre “Straße” ½",
        "don t naïve café œuvre straße 1 2",
        "do not naive cafe oeuvre strasse one 2",
    ),
    ("İstanbul, Größe; l'été où?", "i stanbul größe l été où", "istanbul grosse l ete ou"),
    ("two point five million euros, I'll've", "two point five million euros i ll ve", "€2500000 i will have"),
    ("हिन्दी <noise> 日本語。", "ह न द 日本語", "ह नद 日本語"),
]


@pytest.mark.parametrize(("text", "basic", "english"), GOLDEN)
def test_whispers_normalizers_give_openais_texts(text: str, basic: str, english: str) -> None:
    assert normalizer("whisper-basic").apply(text) == basic
    assert normalizer("whisper-english").apply(text) == english


@given(st.text())
def test_none_leaves_a_text_as_it_is(text: str) -> None:
    assert normalizer("none").apply(text) == text


@given(text=st.text())
def test_basic_is_at_rest_after_one_pass_and_ignores_case_and_outer_space(text: str) -> None:
    apply = normalizer("basic").apply
    once = apply(text)
    assert once == once.strip()
    assert apply(f"  {once}\n") == once


@pytest.mark.parametrize(
    ("text", "basic"),
    [
        ("नमस्ते, दुनिया!", "नमस्ते दुनिया"),
        ("தமிழ் — தெரியுமா?", "தமிழ் தெரியுமா"),
        ("(हँसी) বাংলা ভাষা।", "বাংলা ভাষা"),
        ("ที่นี่ ไม่ใช่", "ที่นี่ ไม่ใช่"),
        ("شَرِبَ، مِي\u200cرَوَم", "شَرِبَ مِي\u200cرَوَم"),
        ("שָׁלוֹם עולם", "שָׁלוֹם עולם"),
        ("İstanbul", "istanbul"),
        ("I ❤\ufe0f you ´ 1\ufe0f\u20e3", "i you 1"),
        ("co\u00adoperate \u200fcafe\u0301", "cooperate café"),
    ],
)
def test_basic_keeps_the_marks_of_letters_and_drops_those_of_what_it_drops(text: str, basic: str) -> None:
    assert normalizer("basic").apply(text) == basic


# some letters are compatible with a letter and a punctuation mark: the Catalan l with a dot
LETTERS = st.characters(categories=["Ll", "Lo"]).filter(
    lambda letter: all(unicodedata.category(part)[0] in "LM" for part in unicodedata.normalize("NFKC", letter))
)
MARKS = st.characters(categories=["Mn", "Mc"]).filter(lambda mark: "VARIATION SELECTOR" not in unicodedata.name(mark))
WORDS = st.lists(st.tuples(LETTERS, MARKS).map("".join), min_size=1).map("".join)


@given(st.lists(WORDS, min_size=1, max_size=4))
def test_basic_leaves_words_of_letters_and_marks_apart_and_whole(words: list[str]) -> None:
    compared = normalizer("basic").apply(", ".join(words)).split()
    assert compared == [normalizer("basic").apply(word) for word in words]


@given(LETTERS, MARKS)
def test_no_mark_of_a_letter_is_lost_by_basic(letter: str, mark: str) -> None:
    assume((letter, mark) != ("i", "\u0307"))  # the dot that an i has already
    assert normalizer("basic").apply(letter + mark) != normalizer("basic").apply(letter)


@given(
    st.text(
        st.characters(codec="ascii", exclude_categories=["Cc"]) | st.sampled_from("éÀßœ—“”½日本語。あア한국"),
        max_size=30,
    )
)
def test_basic_is_whispers_where_there_are_no_marks(text: str) -> None:
    assert normalizer("basic").apply(text) == normalizer("whisper-basic").apply(text)


@pytest.mark.parametrize("name", NORMALIZERS)
def test_a_normalizer_tells_its_name_and_version(name: str) -> None:
    made = normalizer(name)
    assert made.name == name
    ours = {"none": "1", "basic": "2"}
    assert made.version == ours.get(name, f"whisper-normalizer {version('whisper-normalizer')}")


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(
        ScoringError, match=r"no normalizer 'english'\. Known: none, basic, whisper-english, whisper-basic; or"
    ):
        normalizer("english")
