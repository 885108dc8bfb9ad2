import math

import pytest
import torch
from torch import Tensor

from asr_s2s.training.monitor import Alignment, find_alarm, measure_alignment

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


def alarm_of(attention: Tensor, *, accuracy: float = 0.3, cer: float = 0.8):
    return find_alarm(measure_alignment([attention]), accuracy=accuracy, character_error_rate=cer, epoch=9)


def test_a_diagonal_attention_measures_as_healthy() -> None:
    alignment = measure_alignment([diagonal()])
    assert alignment.diagonality > 0.99
    # a Gaussian of deviation s has entropy log(s sqrt(2 pi e)); the two ends, cut in half, have a little less
    entropy = math.log(1.5 * math.sqrt(2 * math.pi * math.e))
    assert alignment.sharpness == pytest.approx(1 - entropy / math.log(FRAMES), abs=0.02)
    assert alignment.coverage > 0.9
    assert alarm_of(diagonal()) is None


def test_uniform_attention_is_not_sharp_and_the_message_says_what_to_try() -> None:
    assert measure_alignment([uniform()]).sharpness == pytest.approx(0, abs=1e-6)
    alarm = alarm_of(uniform())
    assert alarm is not None
    assert alarm.cause == "not sharp"
    assert "after 9 epochs the free-running character error rate is 80%" in alarm.message
    assert "losses.guided_attention" in alarm.message
    assert "model.ctc=true" in alarm.message


@pytest.mark.parametrize("attention", [stuck(), jumping()], ids=["stuck", "jumping"])
def test_sharp_attention_that_does_not_follow_the_tokens_is_not_moving(attention: Tensor) -> None:
    assert measure_alignment([attention]).sharpness > 0.99
    alarm = alarm_of(attention)
    assert alarm is not None
    assert alarm.cause == "not moving"
    assert "model.attention.kind=location" in alarm.message


def test_coverage_counts_the_pieces_of_the_recording_that_were_looked_at() -> None:
    assert measure_alignment([stuck()]).coverage == pytest.approx(1 / TOKENS)
    half = torch.zeros(TOKENS, FRAMES)
    half[:, : FRAMES // 2] = diagonal()[:, ::2]
    half /= half.sum(1, keepdim=True)
    assert measure_alignment([half]).coverage == pytest.approx(0.5, abs=0.06)  # the middle piece is shared


def test_good_next_tokens_with_bad_free_running_text_are_told_apart_from_bad_attention() -> None:
    alarm = alarm_of(diagonal(), accuracy=0.85, cer=0.6)
    assert alarm is not None
    assert alarm.cause == "free-running"
    assert "85% of the next tokens are right" in alarm.message
    without_attention = find_alarm(None, accuracy=0.85, character_error_rate=0.6, epoch=9)
    assert without_attention is not None
    assert without_attention.cause == "free-running"


def test_a_model_that_reads_well_raises_no_alarm_whatever_its_attention_looks_like() -> None:
    assert alarm_of(uniform(), cer=0.1) is None


def test_utterances_too_short_to_correlate_are_left_out_of_the_mean() -> None:
    short = torch.eye(2)
    assert measure_alignment([diagonal(), short]) == measure_alignment([diagonal()])
    assert measure_alignment([short]) != Alignment(0, 0, 0)
