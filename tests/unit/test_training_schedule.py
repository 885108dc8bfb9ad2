import math

import pytest

from asr_s2s.training.schedule import learning_rate

pytestmark = pytest.mark.unit


def test_the_warm_up_rises_by_equal_steps_to_the_peak() -> None:
    rates = [learning_rate(step, 0.0, peak=0.4, warmup=4) for step in range(6)]
    assert rates == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4])


@pytest.mark.parametrize(
    ("decay", "progress", "expected"),
    [
        ("cosine", 0.25, (1 + math.sqrt(0.5)) / 2),
        ("cosine", 0.5, 0.5),
        ("linear", 0.25, 0.75),
        ("constant", 0.9, 1.0),
        ("linear", 1.7, 0.0),
    ],
)
def test_the_decay_follows_its_curve_over_the_whole_run(decay: str, progress: float, expected: float) -> None:
    assert learning_rate(100, progress, peak=1.0, warmup=10, decay=decay) == pytest.approx(expected)


def test_the_floor_is_a_share_of_the_peak_and_reached_at_the_end() -> None:
    assert learning_rate(9, 1.0, peak=2.0, warmup=0, decay="cosine", floor=0.1) == pytest.approx(0.2)
