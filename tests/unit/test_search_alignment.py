"""When tokens were said: the best path against all paths, and words from pieces of any spelling."""

import itertools
import re
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from asr_s2s.recognizer.words import spelled_words
from asr_s2s.search import ctc_token_frames, token_frames
from asr_s2s.search.alignment import _best_paths
from asr_s2s.text import CharacterVocabulary

pytestmark = pytest.mark.unit


@given(data=st.data(), sizes=st.lists(st.tuples(st.integers(1, 3), st.integers(0, 4)), min_size=1, max_size=3))
def test_no_other_choice_of_frames_has_a_larger_sum_for_any_text_of_a_batch(
    data: st.DataObject, sizes: list[tuple[int, int]]
) -> None:
    numbers = st.integers(-8, 8).map(float)
    texts = []
    for tokens, more in sizes:
        frames = tokens + more
        weights = data.draw(st.lists(numbers, min_size=tokens * frames, max_size=tokens * frames))
        texts.append(np.array(weights).reshape(tokens, frames))

    def worth(weights: NDArray[np.float64], edges: Sequence[int]) -> float:
        return sum(row[first:end].sum() for row, first, end in zip(weights, edges[::2], edges[1::2], strict=True))

    for weights, spans in zip(texts, _best_paths(texts), strict=True):
        found = [edge for span in spans for edge in span]
        assert all(first < end for first, end in spans)  # every token has a frame
        assert found == sorted(found)
        every = itertools.combinations_with_replacement(range(weights.shape[1] + 1), len(found))
        allowed = (each for each in every if all(a < b for a, b in zip(each[::2], each[1::2], strict=True)))
        assert worth(weights, found) == max(worth(weights, each) for each in allowed)


def attention_of(num_frames: int, spans: Sequence[tuple[int, int]]) -> NDArray[np.float64]:
    attention = np.full((len(spans), num_frames), 0.001)
    for token, (first, end) in enumerate(spans):
        attention[token, first:end] = 1.0
    return attention / attention.sum(1, keepdims=True)


@pytest.mark.parametrize(
    "spans",
    [
        [(8, 12), (12, 20), (20, 30)],
        [(8, 12), (12, 20), (31, 38)],  # speech in between that the text leaves out is nobody's
        [(20, 22), (30, 31), (38, 40)],  # slow speech is not pressed together
        [(4, 6)],
    ],
)
def test_tokens_are_where_they_attend_and_what_none_attends_to_is_nobodys(spans: list[tuple[int, int]]) -> None:
    assert token_frames([attention_of(40, spans)]) == [spans]


def test_a_text_has_the_same_frames_alone_and_among_others() -> None:
    random = torch.Generator().manual_seed(0)
    sizes = ((3, 20), (1, 9), (12, 40), (0, 5), (4, 2))
    texts = [torch.rand(*size, generator=random).softmax(dim=1).numpy() for size in sizes]
    assert token_frames(texts) == [token_frames([text])[0] for text in texts]


def test_more_tokens_than_frames_and_no_tokens_at_all_are_no_error() -> None:
    assert token_frames([np.ones((3, 2)), np.ones((0, 5))]) == [[(0, 1), (1, 2), (2, 2)], []]
    assert token_frames([]) == []


@given(text=st.text("ab ", max_size=20))
def test_words_of_characters_are_the_words_of_the_text(text: str) -> None:
    vocabulary = CharacterVocabulary.from_texts(["ab "])
    tokens = vocabulary.encode(text)
    words = spelled_words(vocabulary, tokens)
    assert [word.text for word in words] == vocabulary.decode(tokens).split()
    for word in words:
        assert vocabulary.decode(tokens[word.first : word.end]).strip() == word.text
    edges = [edge for word in words for edge in (word.first, word.end)]
    assert edges == sorted(edges)


class Bytes:
    """A vocabulary whose tokens are bytes: a character may take several."""

    def decode(self, tokens: list[int]) -> str:
        return bytes(tokens).decode("utf-8", "replace")


@given(text=st.text(max_size=12))
def test_a_character_of_several_tokens_belongs_to_the_last_of_them(text: str) -> None:
    tokens = list(text.encode())
    for word in spelled_words(Bytes(), tokens):
        said = re.sub(r"(^[\W_]+|[\W_]+$)", "", word.text) or word.text
        assert word.first < word.end
        assert bytes(tokens[: word.end]).decode().endswith(said[-1])


def test_signs_around_a_word_are_not_said() -> None:
    words = spelled_words(Bytes(), list(b'"so" - no.'))
    assert [(word.text, word.first, word.end) for word in words] == [('"so"', 1, 3), ("-", 5, 6), ("no.", 7, 9)]


@given(st.integers(0, 2**32 - 1), st.integers(1, 8), st.integers(0, 20))
@settings(max_examples=60, deadline=None)
def test_the_path_of_ctc_is_torchaudios(seed: int, count: int, more: int) -> None:
    forced_align = pytest.importorskip("torchaudio.functional").forced_align
    random = torch.Generator().manual_seed(seed)
    tokens = torch.randint(1, 5, (count,), generator=random)
    frames = count + int((tokens[1:] == tokens[:-1]).sum()) + more
    log_probs = (3 * torch.randn(frames, 5, generator=random)).log_softmax(dim=1)
    labels, _ = forced_align(log_probs[None], tokens[None].int(), blank=0)
    found = ctc_token_frames(log_probs.numpy(), tokens.tolist(), blank=0)
    path = torch.zeros(frames, dtype=torch.int32)
    for token, (first, end) in zip(tokens.tolist(), found, strict=True):
        path[first:end] = token
    assert path.tolist() == labels[0].tolist()


def test_too_few_frames_for_ctc_give_the_last_tokens_none() -> None:
    assert ctc_token_frames(np.zeros((2, 3)), [1, 1, 2], blank=0) == [(0, 1), (1, 2), (2, 2)]
    assert ctc_token_frames(np.zeros((2, 3)), [], blank=0) == []
