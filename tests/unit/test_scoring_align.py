"""Error counts and alignments: laws, and agreement with jiwer and sclite."""

import re
from collections.abc import Sequence
from pathlib import Path
from random import Random

import jiwer
import pytest
from debian import sclite
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from asr_s2s.errors import ScoringError
from asr_s2s.scoring import ErrorRate, align, character_errors, count_errors, word_errors
from asr_s2s.scoring.sclite_costs import sclite_edits

pytestmark = pytest.mark.unit

# A busy machine is no fault of the code.
calm = settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])

words = st.lists(st.sampled_from(["a", "b", "the", "cat", "ß"]), max_size=8)
# Letters and spaces alone: jiwer's own idea of white space is another subject.
sentences = st.lists(st.text("abcä", min_size=1, max_size=4), min_size=1, max_size=6).map(" ".join)
pairs = st.lists(st.tuples(sentences, sentences), min_size=1, max_size=5)
counts = st.integers(0, 50)


@st.composite
def error_rates(draw: st.DrawFn) -> ErrorRate:
    substitutions, deletions, insertions, correct = (draw(counts) for _ in range(4))
    return ErrorRate(substitutions, deletions, insertions, substitutions + deletions + correct)


@calm
@given(error_rates(), error_rates(), error_rates())
def test_rates_add_by_counts_in_any_order(one: ErrorRate, two: ErrorRate, three: ErrorRate) -> None:
    assert (one + two) + three == three + (two + one)
    assert (one + two).errors == one.errors + two.errors
    assert one + ErrorRate() == one


def test_a_sum_weighs_each_utterance_by_its_length() -> None:
    together = ErrorRate(substitutions=1, reference_length=1) + ErrorRate(reference_length=9)
    assert together.rate == pytest.approx(0.1)  # the mean of the two rates would be 0.5


def test_an_empty_reference_has_no_rate() -> None:
    assert ErrorRate(insertions=3).rate is None


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="negative count"):
        ErrorRate(insertions=-1)
    with pytest.raises(ValueError, match="2 substitutions and 2 deletions cannot happen in a reference of length 3"):
        ErrorRate(substitutions=2, deletions=2, reference_length=3)


@calm
@given(words, words)
def test_each_side_of_an_alignment_is_its_sequence(reference: list[str], hypothesis: list[str]) -> None:
    steps = align(reference, hypothesis).steps
    assert [step.reference for step in steps if step.reference is not None] == reference
    assert [step.hypothesis for step in steps if step.hypothesis is not None] == hypothesis
    for step in steps:
        assert (step.kind == "correct") == (step.reference == step.hypothesis)
        assert (step.kind == "deletion") == (step.hypothesis is None)
        assert (step.kind == "insertion") == (step.reference is None)


@calm
@given(words, words)
def test_counting_agrees_with_the_alignment(reference: list[str], hypothesis: list[str]) -> None:
    assert count_errors(reference, hypothesis) == align(reference, hypothesis).error_rate


@calm
@given(words, words)
def test_there_are_no_errors_only_between_equals(reference: list[str], hypothesis: list[str]) -> None:
    assert (count_errors(reference, hypothesis).errors == 0) == (reference == hypothesis)


@calm
@given(words, words)
def test_swapped_sides_have_as_many_errors(reference: list[str], hypothesis: list[str]) -> None:
    forth, back = count_errors(reference, hypothesis), count_errors(hypothesis, reference)
    assert forth.errors == back.errors
    assert forth.insertions - forth.deletions == back.deletions - back.insertions


@calm
@given(words, words, words)
def test_a_detour_never_saves_errors(one: list[str], two: list[str], three: list[str]) -> None:
    assert count_errors(one, three).errors <= count_errors(one, two).errors + count_errors(two, three).errors


@calm
@given(pairs)
def test_words_agree_with_jiwer(pairs: list[tuple[str, str]]) -> None:
    references, hypotheses = map(list, zip(*pairs, strict=True))
    golden = jiwer.process_words(references, hypotheses)  # jiwer 4.0
    ours = word_errors(references, hypotheses)
    assert (ours.substitutions, ours.deletions, ours.insertions, ours.correct) == (
        golden.substitutions,
        golden.deletions,
        golden.insertions,
        golden.hits,
    )
    assert ours.rate == pytest.approx(golden.wer)


@calm
@given(pairs)
def test_characters_agree_with_jiwer(pairs: list[tuple[str, str]]) -> None:
    references, hypotheses = map(list, zip(*pairs, strict=True))
    golden = jiwer.process_characters(references, hypotheses)  # jiwer 4.0
    ours = character_errors(references, hypotheses)
    assert (ours.substitutions, ours.deletions, ours.insertions, ours.correct) == (
        golden.substitutions,
        golden.deletions,
        golden.insertions,
        golden.hits,
    )
    assert ours.rate == pytest.approx(golden.cer)


def test_one_letter_words_count() -> None:
    assert word_errors(["a", "i a m"], ["b", "i m"]) == ErrorRate(1, 1, 0, 4)


def test_a_different_number_of_texts_is_refused() -> None:
    with pytest.raises(ScoringError, match=r"3 references and 2 hypotheses.*two mappings from id to text"):
        word_errors(["a", "b", "c"], ["a", "b"])


def test_a_single_text_in_place_of_a_list_is_refused() -> None:
    with pytest.raises(ScoringError, match=r"Put it in a list: \[text\]"):
        character_errors("cat", "cut")


@pytest.mark.parametrize("length", [255, 256, 257, 600])
def test_long_alignments_at_sclites_costs_are_the_cheapest(length: int) -> None:
    random = Random(length)  # noqa: S311 - texts, not secrets
    reference = random.choices("abcdefgh", k=length)
    kept = [word for word in reference if random.random() > 0.1]
    hypothesis = [random.choice("abcdefgh") if random.random() < 0.2 else word for word in kept]
    edits = sclite_edits(reference, hypothesis)
    cost = sum(4 if tag == "replace" else 3 for tag, _, _ in edits)
    assert cost == Levenshtein.distance(reference, hypothesis, weights=(3, 3, 4))  # rapidfuzz 3.14
    steps = align(reference, hypothesis, edits=sclite_edits)
    assert [step.reference for step in steps if step.reference] == reference
    assert [step.hypothesis for step in steps if step.hypothesis] == hypothesis


def test_there_are_no_percent_where_nothing_was_said() -> None:
    assert ErrorRate(1, 0, 1, 8).percent == 25.0
    with pytest.raises(ScoringError, match="2 errors and no words to score against"):
        _ = ErrorRate(insertions=2).percent


def sclite_counts(folder: Path, references: Sequence[list[str]], hypotheses: Sequence[list[str]]) -> list[ErrorRate]:
    """Count with sclite (Debian's sctk 2.4.12), which minimises 4 S + 3 D + 3 I."""
    printed = sclite(folder, references, hypotheses, "-o", "pra", "stdout")
    found = re.findall(r"id: \(s(\d+)-1\)\s+Scores: \(#C #S #D #I\) (\d+) (\d+) (\d+) (\d+)", printed)
    scores = {int(number): tuple(map(int, counts)) for number, *counts in found}
    assert sorted(scores) == list(range(len(references)))
    return [
        ErrorRate(substitutions, deletions, insertions, correct + substitutions + deletions)
        for correct, substitutions, deletions, insertions in (scores[number] for number in range(len(references)))
    ]


def weighted(rate: ErrorRate) -> int:
    return 4 * rate.substitutions + 3 * rate.deletions + 3 * rate.insertions


def test_where_only_one_alignment_is_cheapest_counts_equal_those_of_sclite(
    tmp_path: Path, unambiguous: list[tuple[list[str], list[str]]]
) -> None:
    references, hypotheses = zip(*unambiguous, strict=True)
    ours = [count_errors(reference, hypothesis) for reference, hypothesis in unambiguous]
    assert ours == sclite_counts(tmp_path, references, hypotheses)


@pytest.fixture
def unambiguous() -> list[tuple[list[str], list[str]]]:
    """Sentences of distinct words with single errors, each between correct words and with a word found nowhere else."""
    cases = []
    for seed in range(300):
        reference = [f"w{seed}x{position}" for position in range(3 + seed % 9)]
        hypothesis = list(reference)
        for position in range(len(reference) - 2, 0, -2):
            match (seed + position * 7) % 5:
                case 0:
                    hypothesis[position] = f"new{position}"
                case 1:
                    del hypothesis[position]
                case 2:
                    hypothesis.insert(position, f"new{position}")
        cases.append((reference, hypothesis))
    return cases


@pytest.fixture
def ambiguous() -> list[tuple[list[str], list[str]]]:
    """Short sentences over four words, so that many alignments compete; empty hypotheses among them."""
    cases = []
    for seed in range(300):
        # A linear congruence (Knuth 1997, vol. 2, 3.3.4) keeps the cases the same in every Python version.
        state, drawn = seed + 1, []
        for _ in range(17):
            state = (state * 1664525 + 1013904223) % 2**32
            drawn.append("abcd"[state >> 30])
        cases.append((drawn[: 1 + seed % 9], drawn[9 : 9 + seed % 8]))
    return cases


def test_against_sclite_each_is_cheapest_by_its_own_weights(
    tmp_path: Path, ambiguous: list[tuple[list[str], list[str]]]
) -> None:
    references, hypotheses = zip(*ambiguous, strict=True)
    theirs = sclite_counts(tmp_path, references, hypotheses)
    ours = [count_errors(reference, hypothesis) for reference, hypothesis in ambiguous]
    differing = 0
    for own, other in zip(ours, theirs, strict=True):
        assert own.reference_length == other.reference_length
        assert own.insertions - own.deletions == other.insertions - other.deletions
        assert own.errors <= other.errors
        assert weighted(other) <= weighted(own)
        differing += own != other
    assert differing  # else this would only repeat the test above
