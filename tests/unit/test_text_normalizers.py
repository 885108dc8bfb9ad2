"""Normalizers; the expected texts are what OpenAI's own normalizers (openai-whisper 20250625) make of the lines."""

from importlib.metadata import version

import pytest
from hypothesis import given
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
    assert normalizer("basic").apply(text) == basic
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


@pytest.mark.parametrize("name", NORMALIZERS)
def test_a_normalizer_tells_its_name_and_version(name: str) -> None:
    made = normalizer(name)
    assert made.name == name
    assert made.version == ("1" if name == "none" else f"whisper-normalizer {version('whisper-normalizer')}")


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ScoringError, match=r"no normalizer 'english'\. Known: none, basic, whisper-english; or"):
        normalizer("english")
