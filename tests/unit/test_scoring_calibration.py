"""Calibration: the definition counted by hand, and a fit that finds the curve that made the data."""

import numpy as np
import pytest

from asr_s2s.errors import ScoringError
from asr_s2s.manifest import Word
from asr_s2s.scoring.calibration import Logistic, calibration_error, fit_logistic, reliability, right_words

pytestmark = pytest.mark.unit


def words(text: str) -> list[Word]:
    return [Word(word, float(at), at + 1.0) for at, word in enumerate(text.split())]


def test_the_right_words_are_those_that_the_alignment_finds_in_the_reference() -> None:
    found = right_words("The cat sat on the mat.", words("the CAT, sad on – mat"))
    assert found == [True, True, False, True, True, True]
    assert right_words("", words("invented text")) == [False, False]
    assert right_words("nothing heard", []) == []
    assert right_words("किताब की।", words("किताब को")) == [True, False]


def test_the_calibration_error_is_the_definition_counted_by_hand() -> None:
    bins = reliability([0.9, 0.9, 0.9, 0.9, 0.2, 0.1, 1.0], [True, True, True, False, True, False, True])
    assert [each.count for each in bins] == [1, 1, 5]
    assert bins[-1].confidence == pytest.approx(0.92)
    assert bins[-1].right == pytest.approx(0.8)
    assert calibration_error(bins) == pytest.approx((0.1 + 0.8 + 5 * 0.12) / 7)
    with pytest.raises(ScoringError, match="no word"):
        reliability([], [])


def test_a_fit_finds_the_curve_that_made_the_data() -> None:
    random = np.random.default_rng(3)
    probabilities = random.uniform(0.05, 0.99, 20_000)
    truth = Logistic(0.6, -0.8)
    right = random.random(len(probabilities)) < truth(probabilities.tolist())
    fitted = fit_logistic(probabilities.tolist(), right.tolist())
    assert (fitted.slope, fitted.offset) == (pytest.approx(0.6, abs=0.05), pytest.approx(-0.8, abs=0.05))
    assert calibration_error(reliability(fitted(probabilities.tolist()).tolist(), right.tolist())) < 0.015
    assert calibration_error(reliability(probabilities.tolist(), right.tolist())) > 0.1


def test_a_fit_holds_where_nearly_all_words_are_certain_and_many_wrong() -> None:
    probabilities = [0.999] * 60 + [0.989] * 40  # whole Newton steps overshoot to a slope of billions
    fitted = fit_logistic(probabilities, [place < 36 for place in range(60)] + [place < 14 for place in range(40)])
    assert fitted([0.999, 0.989]) == pytest.approx([0.6, 0.35], abs=0.01)


def test_a_fit_needs_right_and_wrong_words() -> None:
    with pytest.raises(ScoringError, match="3 words are right and 0 are wrong"):
        fit_logistic([0.5, 0.7, 1.0], [True, True, True])
