"""Pieces in batches: one starts at once, those that wait are put together, what fails harms no other batch."""

import threading
from collections.abc import Sequence
from concurrent.futures import CancelledError, wait
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr_s2s.recognizer import DecodeOptions, ReadyModel
from asr_s2s.recognizer.batcher import BATCH_SECONDS, Batcher
from asr_s2s.recognizer.segmenter import Piece
from asr_s2s.transcripts import Segment

pytestmark = pytest.mark.unit

GREEDY, BEAM = DecodeOptions(beam=1), DecodeOptions(beam=5)


class Searches:
    """Stands for the search: notes its batches, and waits in the first until it may go on."""

    def __init__(self, *, held: bool = False) -> None:
        self.batches: list[list[int]] = []
        self.began, self.go_on = threading.Event(), threading.Event()
        if not held:
            self.go_on.set()

    def __call__(self, _model: Any, options: DecodeOptions) -> Any:
        def search(pieces: Sequence[Piece]) -> list[list[Segment]]:
            self.batches.append([piece.start for piece in pieces])
            self.began.set()
            assert self.go_on.wait(10)
            if any(piece.start < 0 for piece in pieces):
                raise MemoryError("too large")
            return [[Segment(piece.start, piece.start, f"{options.beam} {piece.start}")] for piece in pieces]

        return search


class Frames:
    """An engine that only knows how long pieces are: a frame has 160 samples."""

    def frames(self, lengths: Sequence[int]) -> Any:
        return np.asarray(lengths) // 160


def batcher(monkeypatch: pytest.MonkeyPatch, searches: Searches, *, lanes: int = 1) -> Batcher:
    monkeypatch.setattr("asr_s2s.recognizer.batcher.PieceSearch", searches)
    engine: Any = Frames()
    model = ReadyModel("test", vocabulary=None, search=None, engine=engine, open_language=None)  # type: ignore[arg-type]
    return Batcher(replace(model, lanes=lanes))


def piece(number: int, seconds: float = 2.0) -> Piece:
    return Piece(number, np.zeros(round(seconds * 16_000), np.float32))


def texts(results: Sequence[Any]) -> list[str]:
    return [result.result(10)[0].text for result in results]


def test_a_piece_starts_at_once_and_those_that_wait_are_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    searches = Searches(held=True)
    batches = batcher(monkeypatch, searches)
    results = [batches.submit(piece(0), GREEDY)]
    assert searches.began.wait(10)
    results += [batches.submit(piece(number), GREEDY) for number in range(1, 6)]
    results += [batches.submit(piece(6), BEAM), batches.submit(piece(7), GREEDY)]
    searches.go_on.set()
    assert texts(results) == ["1 0", "1 1", "1 2", "1 3", "1 4", "1 5", "5 6", "1 7"]
    assert searches.batches == [[0], [1, 2, 3, 4, 5, 7], [6]]


@given(st.lists(st.floats(0.01, 200.0), max_size=30), st.integers(1, 3))
def test_each_piece_gets_its_own_segments_in_batches_of_like_length(lengths: list[float], lanes: int) -> None:
    searches = Searches()
    with pytest.MonkeyPatch.context() as patch:
        pieces = [piece(number, seconds) for number, seconds in enumerate(lengths)]
        results = batcher(patch, searches, lanes=lanes).submit_many(pieces, GREEDY)
        assert texts(results) == [f"1 {number}" for number in range(len(lengths))]
    assert sorted(number for batch in searches.batches for number in batch) == list(range(len(lengths)))
    for batch in searches.batches:
        assert len(batch) == 1 or max(lengths[number] for number in batch) * len(batch) <= BATCH_SECONDS + 1


def test_batches_of_one_call_are_the_same_whatever_else_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    searches = Searches(held=True)
    batches = batcher(monkeypatch, searches)
    results = [batches.submit(piece(0), GREEDY)]
    assert searches.began.wait(10)
    results += batches.submit_many([piece(1, 1.0), piece(2, 70.0), piece(3, 1.5)], GREEDY)
    results += [batches.submit(piece(4), GREEDY)]
    searches.go_on.set()
    wait(results, 10)
    assert searches.batches == [[0], [1, 3], [2], [4]]


def test_what_fails_is_raised_for_its_batch_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    batches = batcher(monkeypatch, Searches())
    with pytest.raises(MemoryError, match="too large"):
        batches.submit(piece(-1), GREEDY).result(10)
    assert texts([batches.submit(piece(3), GREEDY)]) == ["1 3"]


def test_what_is_cancelled_before_it_begins_is_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    searches = Searches(held=True)
    batches = batcher(monkeypatch, searches)
    first, *others = (batches.submit_many([piece(number, 70.0)], GREEDY)[0] for number in range(3))
    assert searches.began.wait(10)
    assert others[0].cancel()
    assert not first.cancel()
    searches.go_on.set()
    assert texts([first, others[1]]) == ["1 0", "1 2"]
    with pytest.raises(CancelledError):
        others[0].result(10)
    assert searches.batches == [[0], [2]]


def test_as_many_batches_run_at_once_as_there_are_lanes(monkeypatch: pytest.MonkeyPatch) -> None:
    searches = Searches(held=True)
    results = batcher(monkeypatch, searches, lanes=2).submit_many([piece(n, 70.0) for n in range(4)], GREEDY)
    for _ in range(200):
        if len(searches.batches) == 2:
            break
        threading.Event().wait(0.01)
    assert len(searches.batches) == 2
    searches.go_on.set()
    assert texts(results) == ["1 0", "1 1", "1 2", "1 3"]


def test_no_thread_outlives_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    before = threading.active_count()
    batches = batcher(monkeypatch, Searches())
    wait(batches.submit_many([piece(n, 70.0) for n in range(4)], GREEDY), 10)
    for _ in range(200):
        if threading.active_count() == before:
            break
        threading.Event().wait(0.01)
    assert threading.active_count() == before
