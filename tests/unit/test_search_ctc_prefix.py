import itertools
import math
from collections import defaultdict

import numpy as np
import pytest
import torch

from asr_s2s.search.ctc_prefix import IMPOSSIBLE, CtcPrefixes

pytestmark = pytest.mark.unit

BLANK, TOKENS = 0, (1, 2, 3)


def frames(*lengths: int, seed: int = 0, sharpness: float = 2.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Log probabilities (batch, time, 4), garbage beyond each length, and the lengths."""
    generator = torch.Generator().manual_seed(seed)
    logits = sharpness * torch.randn(len(lengths), max(lengths), len(TOKENS) + 1, generator=generator)
    return logits.log_softmax(-1), torch.tensor(lengths)


def started(log_probs: torch.Tensor, lengths: torch.Tensor) -> CtcPrefixes:
    return CtcPrefixes.start(log_probs.numpy(), lengths.numpy(), blank=BLANK)


def label_probabilities(log_probs: torch.Tensor) -> dict[tuple[int, ...], float]:
    """Sum the probabilities of all alignments of each label sequence, one alignment at a time."""
    totals: dict[tuple[int, ...], float] = defaultdict(float)
    table = log_probs.double().exp().tolist()
    for alignment in itertools.product((BLANK, *TOKENS), repeat=len(table)):
        merged = [token for token, _ in itertools.groupby(alignment)]
        labels = tuple(token for token in merged if token != BLANK)
        totals[labels] += math.prod(row[token] for row, token in zip(table, alignment, strict=True))
    return totals


def prefix_log_prob(totals: dict[tuple[int, ...], float], prefix: tuple[int, ...]) -> float:
    probability = sum(value for labels, value in totals.items() if labels[: len(prefix)] == prefix)
    return math.log(probability) if probability else IMPOSSIBLE


def advanced(prefixes: CtcPrefixes, tokens: tuple[int, ...], batch: int) -> CtcPrefixes:
    for token in tokens:
        prefixes = prefixes.advance(np.zeros((batch, 1), int), np.full((batch, 1), token))
    return prefixes


@pytest.mark.parametrize("prefix", [(), (1,), (1, 1), (1, 2), (2, 1, 2), (3, 3, 3), (1, 1, 2, 2), (1, 2, 3, 1, 2)])
def test_prefix_and_whole_scores_equal_the_sum_over_all_alignments(prefix: tuple[int, ...]) -> None:
    lengths = (5, 3, 1)
    log_probs, counts = frames(*lengths)
    start = started(log_probs, counts)
    prefixes = advanced(start, prefix, len(lengths))
    extended, whole = prefixes.extended()[:, 0, 1:], prefixes.whole()[:, 0]
    for row, length in enumerate(lengths):
        totals = label_probabilities(log_probs[row, :length])
        expected = [prefix_log_prob(totals, (*prefix, token)) for token in TOKENS]
        # abs: a few float32 roundings of numbers near 10
        assert extended[row].tolist() == pytest.approx(expected, abs=2e-5)
        wanted = math.log(totals[prefix]) if totals.get(prefix) else IMPOSSIBLE
        assert whole[row] == pytest.approx(wanted, abs=2e-5)


def test_whole_scores_equal_torchs_ctc_loss_on_long_utterances() -> None:
    generator = torch.Generator().manual_seed(3)
    log_probs, lengths = frames(700, 512, seed=4, sharpness=6.0)
    tokens = torch.randint(1, 4, (2, 60), generator=generator)
    prefixes = started(log_probs, lengths)
    for token in tokens.T:
        prefixes = prefixes.advance(np.zeros((2, 1), int), token.numpy()[:, None])
    loss = torch.nn.functional.ctc_loss(
        log_probs.double().transpose(0, 1), tokens, lengths, torch.tensor([60, 60]), blank=BLANK, reduction="none"
    )
    # rtol: worst seen 2e-7, float32 states; the log probabilities are some thousands here
    np.testing.assert_allclose(prefixes.whole()[:, 0], -loss, rtol=2e-6)


def test_prefixes_of_a_beam_are_scored_as_if_each_were_alone() -> None:
    log_probs, lengths = frames(6, 4)
    beam = started(log_probs, lengths)
    beam = beam.advance(np.array([[0, 0], [0, 0]]), np.array([[1, 2], [3, 1]]))
    beam = beam.advance(np.array([[1, 1, 0], [0, 1, 0]]), np.array([[2, 1, 3], [3, 1, 2]]))
    spelled = [[(2, 2), (2, 1), (1, 3)], [(3, 3), (1, 1), (3, 2)]]
    for row, prefixes in enumerate(spelled):
        for slot, prefix in enumerate(prefixes):
            alone = started(log_probs[row : row + 1, : lengths[row]], lengths[row : row + 1])
            alone = advanced(alone, prefix, 1)
            np.testing.assert_allclose(beam.extended()[row, slot, 1:], alone.extended()[0, 0, 1:], atol=1e-5)
            np.testing.assert_allclose(beam.whole()[row, slot], alone.whole()[0, 0], atol=1e-5)


def test_leaving_utterances_do_not_change_the_others() -> None:
    log_probs, lengths = frames(6, 4, 5)
    prefixes = advanced(started(log_probs, lengths), (2,), 3)
    kept = prefixes.keep(np.array([2, 0]))
    assert kept.extended().tolist() == prefixes.extended()[[2, 0]].tolist()
    assert kept.whole().tolist() == prefixes.whole()[[2, 0]].tolist()


def test_certain_frames_give_finite_scores() -> None:
    log_probs = torch.full((1, 4, 4), -torch.inf)
    log_probs[0, torch.arange(4), torch.tensor([1, BLANK, 1, 2])] = 0.0
    prefixes = advanced(started(log_probs, torch.tensor([4])), (1, 1, 2), 1)
    assert prefixes.whole().item() == pytest.approx(0.0, abs=1e-3)
    assert prefixes.extended()[..., 1:].tolist() == [[[IMPOSSIBLE] * 3]]
