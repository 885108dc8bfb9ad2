"""What hot words add to a text: a bonus for each token of a word that is said whole, and nothing for half a word."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from asr_s2s.search import Hotwords
from asr_s2s.search.hotwords import HotwordState

pytestmark = pytest.mark.unit

CHARACTERS = ("</s>", " ", ".", "a", "b", "n")  # tokens of a character vocabulary, by id
PIECES = ("</s>", ".", " an", "n", "a", " b", " an an", " ")  # and of one whose pieces bring their space
END = 0


def spelled(text: str) -> list[int]:
    return [CHARACTERS.index(character) for character in text]


def build(words: list[list[int]], texts: tuple[str, ...]) -> Hotwords:
    return Hotwords.build(
        words, token_texts=["" if text == "</s>" else text for text in texts], end_token=END, bonus=1.0
    )


def gained(words: Hotwords, tokens: list[int]) -> float:
    """Give what a hypothesis of these tokens has been given, step by step."""
    state, total = HotwordState.start(words, batch=1), 0.0
    for token in tokens:
        total += float(state.gains[0, 0, token])
        state = state.advance(np.zeros((1, 1), int), np.array([[token]]))
        assert float(state.totals[0, 0]) == pytest.approx(total)
    return total


@given(text=st.text("abn .", max_size=14))
@example(text="an ann anna. ban")
def test_whole_words_of_characters_are_worth_their_letters_and_others_nothing(text: str) -> None:
    words = build([spelled("ann"), spelled("ba")], CHARACTERS)
    said = text.replace(".", " ").split(" ")
    expected = sum(len(word) for word in said if word in ("ann", "ba"))
    assert gained(words, [*spelled(text), END]) == pytest.approx(expected)


@given(text=st.text("abn ", max_size=14))
def test_of_a_phrase_its_first_word_alone_counts_only_if_it_is_a_hot_word_itself(text: str) -> None:
    phrase = build([spelled("an ba")], CHARACTERS)
    tokens = [*spelled(text), END]
    alone = build([spelled("an ba"), spelled("an")], CHARACTERS)
    assert gained(alone, tokens) >= gained(phrase, tokens)
    if f" {text} ".count(" an ba ") == 0:
        assert gained(phrase, tokens) == pytest.approx(0.0)
        assert gained(alone, tokens) == pytest.approx(2.0 * sum(word == "an" for word in text.split(" ")))


def test_pieces_that_bring_their_space_begin_a_word_anywhere() -> None:
    words = build([[PIECES.index(" an"), PIECES.index("n")]], PIECES)
    an, n, a, b, stop = (PIECES.index(piece) for piece in (" an", "n", "a", " b", "."))
    assert gained(words, [an, n, END]) == 2.0
    assert gained(words, [b, an, n, stop, an, n, b]) == 4.0
    assert gained(words, [an, n, a, END]) == 0.0
    assert gained(words, [an, b]) == 0.0
    assert gained(words, [an, an, n, END]) == 2.0


def test_hypotheses_keep_their_own_places_when_they_are_chosen_and_kept() -> None:
    words = build([spelled("ba")], CHARACTERS)
    state = HotwordState.start(words, batch=2).advance(np.zeros((2, 2), int), np.array([spelled("ba"), spelled("nb")]))
    assert state.totals.tolist() == [[1.0, 0.0], [0.0, 1.0]]
    chosen = state.advance(np.array([[1, 0], [1, 1]]), np.array([spelled("aa"), spelled("ab")]))
    assert chosen.totals.tolist() == [[0.0, 2.0], [2.0, 0.0]]
    assert chosen.keep(np.array([1])).totals.tolist() == [[2.0, 0.0]]


def test_no_words_add_nothing() -> None:
    state = HotwordState.start(build([], CHARACTERS), batch=1)
    assert not state.gains.any()
