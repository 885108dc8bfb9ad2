from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr_s2s.data import epoch_plan, padding_share

pytestmark = pytest.mark.unit

DURATIONS = st.lists(st.floats(0.1, 40.0, allow_nan=False), max_size=200)
NUMBERS = st.integers(0, 2**31)

# Three hundred utterances between 0.3 and 30 s, many of them short, as in read speech.
SPREAD = [0.3 + 29.7 * (index * 0.618 % 1) ** 2 for index in range(300)]


@given(DURATIONS, NUMBERS, NUMBERS, st.booleans())
def test_every_utterance_is_planned_exactly_once(
    durations: list[float], seed: int, epoch: int, shortest_first: bool
) -> None:
    plan = epoch_plan(durations, batch_seconds=30.0, seed=seed, epoch=epoch, shortest_first=shortest_first)
    assert sorted(index for batch in plan for index in batch) == list(range(len(durations)))
    assert all(plan)


@given(DURATIONS, NUMBERS, st.floats(1.0, 100.0))
def test_a_batch_with_its_padding_fits_unless_one_utterance_alone_does_not(
    durations: list[float], seed: int, batch_seconds: float
) -> None:
    for batch in epoch_plan(durations, batch_seconds=batch_seconds, seed=seed, epoch=0):
        cost = len(batch) * max(durations[index] for index in batch)
        assert cost <= batch_seconds or len(batch) == 1


@given(DURATIONS, st.floats(1.0, 100.0), st.floats(2.0, 60.0))
def test_with_a_quadratic_cost_batches_of_long_utterances_hold_fewer_seconds(
    durations: list[float], batch_seconds: float, quadratic_seconds: float
) -> None:
    plan = epoch_plan(durations, batch_seconds=batch_seconds, quadratic_seconds=quadratic_seconds, seed=0, epoch=0)
    for batch in plan:
        longest = max(durations[index] for index in batch)
        cost = longest + longest**2 / quadratic_seconds
        assert len(batch) == 1 or len(batch) * cost <= batch_seconds * (1 + 1e-9)


@given(DURATIONS, NUMBERS, NUMBERS)
def test_a_plan_follows_from_durations_seed_and_epoch(durations: list[float], seed: int, epoch: int) -> None:
    first, second = (epoch_plan(durations, batch_seconds=20.0, seed=seed, epoch=epoch) for _ in range(2))
    assert first == second


@given(DURATIONS, NUMBERS)
def test_shortest_first_goes_from_short_to_long_but_for_near_equal_lengths(durations: list[float], seed: int) -> None:
    plan = epoch_plan(durations, batch_seconds=20.0, seed=seed, epoch=0, shortest_first=True)
    in_order = [durations[index] for batch in plan for index in batch]
    longest = 0.0
    for duration in in_order:
        assert duration >= 0.95 * longest  # the jitter that makes epochs differ is 5 %
        longest = max(longest, duration)


@pytest.mark.parametrize("change", [{"epoch": 1}, {"seed": 1}])
@pytest.mark.parametrize("shortest_first", [False, True])
def test_another_epoch_or_seed_makes_other_batches(change: dict[str, int], shortest_first: bool) -> None:
    usual = {"seed": 0, "epoch": 0}
    plans = [
        epoch_plan(SPREAD, batch_seconds=60.0, shortest_first=shortest_first, **numbers)
        for numbers in (usual, usual | change)
    ]
    batches = [{frozenset(batch) for batch in plan} for plan in plans]
    assert len(batches[0] & batches[1]) < len(batches[0]) / 2


def test_batches_come_in_a_drawn_order_not_by_length() -> None:
    plan = epoch_plan(SPREAD, batch_seconds=60.0, seed=0, epoch=0)
    longest = [max(SPREAD[index] for index in batch) for batch in plan]
    rises = sum(first < second for first, second in pairwise(longest))
    assert 0.3 < rises / (len(longest) - 1) < 0.7


def test_little_of_a_batch_is_padding() -> None:
    plan = epoch_plan(SPREAD, batch_seconds=120.0, seed=0, epoch=0)
    assert padding_share(SPREAD, plan) < 0.08  # in the order of the manifest it would be 0.6
    in_manifest_order = [list(range(start, start + 12)) for start in range(0, 300, 12)]
    assert padding_share(SPREAD, in_manifest_order) > 0.4


def test_padding_is_counted_as_a_share_of_the_cost() -> None:
    assert padding_share([1.0, 3.0, 5.0], [[0, 1], [2]]) == pytest.approx(2 / 11)


def test_utterances_of_one_length_are_mixed_anew_each_epoch() -> None:
    plans = [epoch_plan([3.0] * 100, batch_seconds=30.0, seed=0, epoch=epoch) for epoch in range(2)]
    assert [len(batch) for batch in plans[0]] == [10] * 10
    assert {frozenset(batch) for batch in plans[0]} != {frozenset(batch) for batch in plans[1]}
