import math

import pytest
import torch
from torch import Tensor

from asr_s2s.training.alignment import AttentionAlignment, measure_alignment

pytestmark = pytest.mark.unit

TOKENS, FRAMES = 20, 60


def uniform() -> Tensor:
    return torch.full((TOKENS, FRAMES), 1 / FRAMES)


def diagonal(width: float = 1.5) -> Tensor:
    centre = torch.linspace(0, FRAMES - 1, TOKENS)[:, None]
    return torch.softmax(-((torch.arange(FRAMES) - centre) ** 2) / (2 * width**2), dim=1)


def stuck(frame: int = 7) -> Tensor:
    return torch.nn.functional.one_hot(torch.full((TOKENS,), frame), FRAMES).float()


def jumping() -> Tensor:
    frames = torch.randperm(FRAMES, generator=torch.Generator().manual_seed(3))[:TOKENS]
    return torch.nn.functional.one_hot(frames, FRAMES).float()


def test_a_diagonal_attention_measures_as_healthy() -> None:
    alignment = measure_alignment([diagonal()])
    assert alignment.diagonality > 0.99
    # a Gaussian of deviation s has entropy log(s sqrt(2 pi e)); the two ends, cut in half, have a little less
    entropy = math.log(1.5 * math.sqrt(2 * math.pi * math.e))
    assert alignment.sharpness == pytest.approx(1 - entropy / math.log(FRAMES), abs=0.02)
    assert alignment.coverage > 0.9


def test_attention_to_all_frames_alike_is_not_sharp() -> None:
    assert measure_alignment([uniform()]).sharpness == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("attention", [stuck(), jumping()], ids=["stuck", "jumping"])
def test_sharp_attention_that_does_not_follow_the_tokens_is_not_diagonal(attention: Tensor) -> None:
    alignment = measure_alignment([attention])
    assert alignment.sharpness > 0.99
    assert alignment.diagonality < 0.25


def test_coverage_counts_the_pieces_of_the_recording_that_were_looked_at() -> None:
    assert measure_alignment([stuck()]).coverage == pytest.approx(1 / TOKENS)
    half = torch.zeros(TOKENS, FRAMES)
    half[:, : FRAMES // 2] = diagonal()[:, ::2]
    half /= half.sum(1, keepdim=True)
    assert measure_alignment([half]).coverage == pytest.approx(0.5, abs=0.06)  # the middle piece is shared


def test_utterances_too_short_to_correlate_are_left_out_of_the_mean() -> None:
    short = torch.eye(2)
    assert measure_alignment([diagonal(), short]) == measure_alignment([diagonal()])
    assert measure_alignment([short]) != AttentionAlignment(0, 0, 0)
