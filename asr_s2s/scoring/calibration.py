"""How well a confidence says what it should: the share of words that are right among those of like confidence.

Guo 2017: Guo et al., "On calibration of modern neural networks", ICML 2017 (expected calibration error, section 2).
Platt 1999: "Probabilistic outputs for support vector machines", section 2.1: a logistic curve, fitted to held-out data.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr_s2s.errors import ScoringError
from asr_s2s.manifest import Word
from asr_s2s.scoring.align import align
from asr_s2s.text.marks import letters_only
from asr_s2s.transcripts import Transcript

NUM_BINS = 10
NEWTON_STEPS = 50
LEAST = 1e-4  # a probability nearer to 0 or 1 has logits that would decide the fit alone


@dataclass(frozen=True, slots=True)
class Bin:
    """Words of like confidence: how many, their mean confidence, and the share of them that is right."""

    count: int
    confidence: float
    right: float


@dataclass(frozen=True, slots=True)
class Logistic:
    """confidence = sigmoid(slope x logit(probability) + offset)."""

    slope: float = 1.0
    offset: float = 0.0

    def __call__(self, probabilities: Sequence[float]) -> NDArray[np.float64]:
        """Map probabilities."""
        return 1.0 / (1.0 + np.exp(-(self.slope * _logits(probabilities) + self.offset)))


def right_words(reference: str, hypothesis: Sequence[Word]) -> list[bool]:
    """Say of each recognised word whether the alignment with the fewest errors finds it in the reference.

    Letters with their signs and digits are compared, in lower case; what is not a word (a dash) is right.
    """
    spoken = [plain for word in reference.split() if (plain := _plain(word))]
    heard = [_plain(word.word) for word in hypothesis]
    right: Iterator[bool] = iter(
        step.kind == "correct" for step in align(spoken, [word for word in heard if word]) if step.hypothesis
    )
    return [next(right) if word else True for word in heard]


def judged_words(found: Iterable[tuple[str, Transcript]]) -> tuple[list[float], list[bool]]:
    """Return the confidence of every recognised word, and whether it is right, of references and transcripts."""
    confidences: list[float] = []
    right: list[bool] = []
    for reference, transcript in found:
        confidences += [word.probability or 0.0 for word in transcript.words]
        right += right_words(reference, transcript.words)
    return confidences, right


def reliability(confidences: Sequence[float], right: Sequence[bool], *, num_bins: int = NUM_BINS) -> list[Bin]:
    """Put words into bins of equal width by their confidence, lowest first; empty ones are left out.

    Raises ScoringError if there are no words.
    """
    if not confidences:
        raise ScoringError("no word was recognised, so that nothing can be said of their confidences.")
    values, hits = np.asarray(confidences, float), np.asarray(right, float)
    places = np.minimum((values * num_bins).astype(int), num_bins - 1)
    return [
        Bin(int(inside.sum()), float(values[inside].mean()), float(hits[inside].mean()))
        for place in range(num_bins)
        if (inside := places == place).any()
    ]


def calibration_error(bins: Sequence[Bin]) -> float:
    """Return the expected calibration error (Guo 2017, equation 3), between 0 and 1."""
    total = sum(each.count for each in bins)
    return sum(each.count * abs(each.confidence - each.right) for each in bins) / total


def fit_logistic(probabilities: Sequence[float], right: Sequence[bool]) -> Logistic:
    """Fit slope and offset by maximum likelihood, with Platt's targets, which keep both finite (Platt 1999).

    Raises ScoringError unless some words are right and some are wrong.
    """
    hits = np.asarray(right, float)
    num_right, num_wrong = float(hits.sum()), float(len(hits) - hits.sum())
    if not (num_right and num_wrong):
        raise ScoringError(
            f"{num_right:.0f} words are right and {num_wrong:.0f} are wrong: a confidence cannot be fitted. "
            "Give more recordings, with some that are hard to recognise."
        )
    targets = np.where(hits > 0, (num_right + 1) / (num_right + 2), 1 / (num_wrong + 2))
    inputs = np.stack([_logits(probabilities), np.ones(len(hits))], axis=1)
    weights = np.array([1.0, 0.0])
    for _ in range(NEWTON_STEPS):
        guessed = 1.0 / (1.0 + np.exp(-inputs @ weights))
        gradient = inputs.T @ (guessed - targets)
        hessian = (inputs * (guessed * (1 - guessed))[:, None]).T @ inputs
        step = np.linalg.solve(hessian + 1e-9 * np.eye(2), gradient)
        # a whole step overshoots where most words are certain and many of those wrong; the loss is convex: half of it
        while _loss(inputs @ (weights - step), targets) > _loss(inputs @ weights, targets) + 1e-12:
            step = step / 2
        weights = weights - step
        if np.abs(step).max() < 1e-9:
            break
    return Logistic(float(weights[0]), float(weights[1]))


def _loss(logits: NDArray[np.float64], targets: NDArray[np.float64]) -> float:
    """Return the cross-entropy of targets between 0 and 1, by word."""
    return float(np.mean(np.logaddexp(0.0, logits) - targets * logits))


def _logits(probabilities: Sequence[float]) -> NDArray[np.float64]:
    clipped = np.clip(np.asarray(probabilities, float), LEAST, 1 - LEAST)
    return np.asarray(np.log(clipped / (1 - clipped)))


def _plain(word: str) -> str:
    return "".join(letters_only(word.lower(), also="'").split())
