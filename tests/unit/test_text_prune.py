"""Pruned byte pairs: every text still round-trips, and what is kept is spelled as before."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from asr_s2s.errors import VocabularyError
from asr_s2s.text import BytePairsConfig, BytePairVocabulary, PrunedVocabulary, prune

pytestmark = pytest.mark.unit

DOCUMENTS = [Path(__file__).parents[2] / name for name in ("README.md", "docs/train.md", "docs/score.md")]
PIECES = 1500
SPECIAL = ["<|endoftext|>", "<|startoftranscript|>", "<|translate|>", "<|notimestamps|>", "<|nocaptions|>"]
CONFIG = BytePairsConfig(
    kind="bpe",
    prompt=("<|startoftranscript|>", "<|notimestamps|>"),
    end="<|endoftext|>",
    no_speech="<|nocaptions|>",
    size=PIECES + 20,
    suppressed=(1, 2, PIECES + 2),
    suppressed_first=(220,),
)
TEXT = [
    "The model reads the recordings of the training set, and then the error rate is shown.",
    "Every word of a report is counted; nothing that was said is dropped.",
]


@pytest.fixture(scope="module")
def whole() -> BytePairVocabulary:
    """Pairs learned from this project's documents, in a file of Whisper's form."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=PIECES, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train([str(path) for path in DOCUMENTS], trainer)
    tokenizer.add_special_tokens(SPECIAL)
    return CONFIG.build(tokenizer.to_str(), origin="test")


@pytest.fixture(scope="module")
def pruned(whole: BytePairVocabulary) -> PrunedVocabulary:
    return prune(whole, CONFIG, TEXT, size=600)


@given(text=st.text())
def test_every_text_round_trips(pruned: PrunedVocabulary, text: str) -> None:
    assert pruned.vocabulary.decode(pruned.vocabulary.encode(text)) == text


def test_what_was_used_is_spelled_as_before_under_new_ids(whole: BytePairVocabulary, pruned: PrunedVocabulary) -> None:
    assert pruned.whole == 1.0
    assert pruned.growth == 1.0
    for text in TEXT:
        spelled = pruned.vocabulary.encode(text)
        assert [pruned.rows[token] for token in spelled] == whole.encode(text)


def test_what_does_not_fit_is_counted_and_spelled_in_smaller_pieces(whole: BytePairVocabulary) -> None:
    pruned = prune(whole, CONFIG, TEXT, size=300)
    before = sum(len(whole.encode(text)) for text in TEXT)
    after = sum(len(pruned.vocabulary.encode(text)) for text in TEXT)
    assert after > before
    assert pruned.growth == pytest.approx(after / before)
    assert 0 < pruned.whole < 1


def test_size_counts_pieces_and_the_special_tokens_of_the_prompt_stay(
    whole: BytePairVocabulary, pruned: PrunedVocabulary
) -> None:
    words = pruned.vocabulary
    assert words.size == 600 + 4 == len(pruned.rows)
    assert [pruned.rows[token] for token in words.start_tokens] == list(whole.start_tokens)
    assert pruned.rows[words.end_token] == whole.end_token
    assert words.no_speech_token is not None
    assert pruned.rows[words.no_speech_token] == whole.no_speech_token


def test_suppressed_tokens_keep_their_meaning_or_go(pruned: PrunedVocabulary) -> None:
    assert [pruned.rows[token] for token in pruned.config.suppressed] == [1, 2]
    assert [pruned.rows[token] for token in pruned.config.suppressed_first] == [220]


@pytest.mark.parametrize("size", [255, PIECES])
def test_a_size_that_leaves_nothing_to_choose_is_refused_with_the_range(whole: BytePairVocabulary, size: int) -> None:
    with pytest.raises(VocabularyError, match=f"size is {size}, .* Keep from 256 to {PIECES - 1}"):
        prune(whole, CONFIG, TEXT, size=size)


def test_the_vocabulary_read_back_is_the_same(pruned: PrunedVocabulary, tmp_path: Path) -> None:
    pruned.vocabulary.write(tmp_path)
    assert pruned.config.read(tmp_path).fingerprint == pruned.vocabulary.fingerprint
