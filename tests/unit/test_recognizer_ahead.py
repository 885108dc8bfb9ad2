"""Reading ahead: order, bounds and errors, whatever the threads do."""

import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr_s2s.recognizer.ahead import MAX_ITEMS, ReadAhead

pytestmark = pytest.mark.unit


def counted(item: list[int]) -> Iterator[int]:
    yield from item


@given(items=st.lists(st.lists(st.integers(0, 9), max_size=5), max_size=20), threads=st.integers(1, 3))
@settings(max_examples=50, deadline=None)
def test_all_pieces_come_in_order(items: list[list[int]], threads: int) -> None:
    read = ReadAhead(counted, cost=lambda _: 1.0, limit=3.0, threads=threads)
    assert [(item, list(pieces)) for item, pieces in read(items)] == [(item, item) for item in items]


def test_no_more_is_read_than_there_is_room_for() -> None:
    taken, most, read_so_far = 0, 0, 0
    lock = threading.Lock()

    def read(item: range) -> Iterator[int]:
        nonlocal read_so_far
        for piece in item:
            with lock:
                read_so_far += 1
            yield piece

    for _, pieces in ReadAhead(read, cost=lambda _: 1.0, limit=4.0, threads=2)([range(50)] * 6):
        for _ in pieces:
            time.sleep(0.001)
            with lock:
                taken += 1
                most = max(most, read_so_far - taken)
    assert taken == 300
    assert most <= 4 + 2 * 2, "the limit, and for each thread one piece more and one in its hands"


def test_more_items_than_are_begun_at_once_all_come() -> None:
    items = [[n] for n in range(MAX_ITEMS * 2 + 1)]
    read = ReadAhead(counted, cost=lambda _: 1.0, limit=1.0, threads=2)
    assert [list(pieces) for _, pieces in read(items)] == items


def test_an_error_comes_after_the_pieces_before_it_and_stops_nothing_else() -> None:
    def read(item: int) -> Iterator[int]:
        yield item
        if item == 1:
            raise ValueError("damaged")

    found: list[object] = []
    for _, pieces in ReadAhead(read, cost=lambda _: 1.0, limit=9.0, threads=2)([0, 1, 2]):
        try:
            found.extend(pieces)
        except ValueError as error:
            found.append(str(error))
    assert found == [0, 1, "damaged", 2]


def test_who_stops_taking_leaves_no_reader_behind() -> None:
    endless = iter(ReadAhead(lambda _: iter(int, 1), cost=lambda _: 1.0, limit=2.0, threads=2)([0, 1, 2]))
    _, pieces = next(endless)
    next(pieces)
    before = {thread.name for thread in threading.enumerate()}
    assert any(name.startswith("read") for name in before)
    endless.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("read")]
