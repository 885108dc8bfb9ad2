"""Pieces of many recordings, recognised in batches of like length by threads that exist only while there is work."""

import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import lru_cache, partial

from asr_s2s.engine import FRAME_SECONDS
from asr_s2s.engine.groups import groups
from asr_s2s.recognizer.model import ReadyModel
from asr_s2s.recognizer.options import DecodeOptions
from asr_s2s.recognizer.piece_search import PieceSearch
from asr_s2s.recognizer.segmenter import Piece
from asr_s2s.transcripts import Segment

BATCH_SECONDS = 80.0  # of frames that are searched at once
MOST_SEARCHES = 16  # of different options that are kept ready

PieceResult = Future[list[Segment]]


@dataclass
class _Batch:
    """Pieces that are searched together, and where their segments go."""

    options: DecodeOptions
    is_open: bool = False  # to pieces that come while it waits
    longest: float = 0.0  # seconds of the frames of the longest
    pieces: list[Piece] = field(default_factory=list)
    results: list[PieceResult] = field(default_factory=list)

    def fits(self, seconds: float) -> bool:
        """Return whether one piece more, of so many seconds, leaves the batch small enough."""
        return max(self.longest, seconds) * (len(self.pieces) + 1) <= BATCH_SECONDS

    def add(self, piece: Piece, seconds: float) -> PieceResult:
        result = PieceResult()
        self.longest = max(self.longest, seconds)
        self.pieces.append(piece)
        self.results.append(result)
        return result


class Batcher:
    """Recognises the pieces that are submitted; the segments' times are seconds in their recording's samples.

    Any thread may submit. A piece that comes while nothing runs starts at once; those that come while batches run are
    put together.
    """

    def __init__(self, model: ReadyModel) -> None:
        self._engine = model.engine
        self._lanes = model.lanes
        self._search = lru_cache(MOST_SEARCHES)(partial(PieceSearch, model))
        self._lock = threading.Lock()
        self._queue: deque[_Batch] = deque()
        self._running = 0

    def check(self, options: DecodeOptions) -> None:
        """Raise ConfigError, or CheckpointError, for options that this model cannot follow."""
        self._search(options)

    def submit(self, piece: Piece, options: DecodeOptions) -> PieceResult:
        """Queue one piece, together with others that wait for a search by the same options."""
        self.check(options)
        (seconds,) = self._seconds([piece])
        with self._lock:
            waiting = (one for one in self._queue if one.is_open and one.options == options and one.fits(seconds))
            batch = next(waiting, None)
            if batch is None:
                batch = _Batch(options, is_open=True)
                self._queue.append(batch)
            result = batch.add(piece, seconds)
        self._start()
        return result

    def submit_many(self, pieces: Sequence[Piece], options: DecodeOptions) -> list[PieceResult]:
        """Queue pieces in batches of their own: equal pieces make equal batches, whatever else is submitted.

        returns: a future for each piece; the batch with the first piece comes first
        """
        self.check(options)
        seconds = self._seconds(pieces)
        by_length = sorted(range(len(pieces)), key=seconds.__getitem__)
        results: dict[int, PieceResult] = {}
        batches: list[tuple[int, _Batch]] = []
        for first, end in groups([seconds[index] for index in by_length], BATCH_SECONDS):
            batch = _Batch(options)
            for index in by_length[first:end]:
                results[index] = batch.add(pieces[index], seconds[index])
            batches.append((min(by_length[first:end]), batch))
        with self._lock:
            self._queue.extend(batch for _, batch in sorted(batches, key=lambda one: one[0]))
        self._start()
        return [results[index] for index in range(len(pieces))]

    def _seconds(self, pieces: Sequence[Piece]) -> list[float]:
        """Return what each piece costs: the seconds of its frames, which a padding front end makes more."""
        frames = self._engine.frames([len(piece.samples) for piece in pieces])
        return [count * FRAME_SECONDS for count in frames.tolist()]

    def _start(self) -> None:
        """Start as many threads as there is work for; they end with it, and an unused batcher holds none."""
        with self._lock:
            new = min(self._lanes, len(self._queue)) - self._running
            self._running += max(new, 0)
        for _ in range(new):
            threading.Thread(target=self._work, name="recognise", daemon=True).start()

    def _work(self) -> None:
        finished: list[tuple[PieceResult, list[Segment] | BaseException]] = []
        while True:
            with self._lock:
                batch = self._queue.popleft() if self._queue else None
                if batch is None:
                    self._running -= 1
            # only now: a process that is forked as soon as it has its results must find no thread in the books
            for result, outcome in finished:
                if isinstance(outcome, BaseException):
                    result.set_exception(outcome)
                else:
                    result.set_result(outcome)
            if batch is None:
                return
            finished = self._recognised(batch)

    def _recognised(self, batch: _Batch) -> list[tuple[PieceResult, list[Segment] | BaseException]]:
        """Search a batch, but for what was cancelled; an error is that of all its pieces."""
        pairs = zip(batch.pieces, batch.results, strict=True)
        wanted = [(piece, result) for piece, result in pairs if result.set_running_or_notify_cancel()]
        if not wanted:
            return []
        try:
            found = self._search(batch.options)([piece for piece, _ in wanted])
        except BaseException as error:  # noqa: BLE001 - raised again where the segments are asked for
            return [(result, error) for _, result in wanted]
        return [(result, segments) for (_, result), segments in zip(wanted, found, strict=True)]
