"""Reads recordings ahead of use: files are decoded and searched for speech while others are recognised."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")
Piece = TypeVar("Piece")

MAX_ITEMS = 256  # begun and not yet taken: of short files, as many as fit into some batches


@dataclass
class _Shelf(Generic[Piece]):
    """What was read of one item and not yet taken."""

    pieces: deque[Piece] = field(default_factory=deque)
    is_read: bool = False
    error: BaseException | None = None


class ReadAhead(Generic[Item, Piece]):
    """Reads items in several threads and gives their pieces in order; iterate it once.

    read: gives the pieces of an item; it runs in another thread
    cost: of a piece; the pieces that wait cost at most `limit` together, and one more of each thread
    """

    def __init__(
        self, read: Callable[[Item], Iterator[Piece]], *, cost: Callable[[Piece], float], limit: float, threads: int
    ) -> None:
        self._read, self._cost, self._limit = read, cost, limit
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="read")
        self._changed = threading.Condition()
        self._held = 0.0
        self._first: _Shelf[Piece] | None = None  # whose pieces are wanted now: its reader never waits for others
        self._is_over = False

    def __call__(self, items: Iterable[Item]) -> Iterator[tuple[Item, Iterator[Piece]]]:
        """Return each item with its pieces, which are to be taken before the next item is asked for.

        Raises what `read` raised, when the pieces are taken.
        """
        begun: deque[tuple[Item, _Shelf[Piece]]] = deque()
        try:
            for item in items:
                shelf: _Shelf[Piece] = _Shelf()
                begun.append((item, shelf))
                self._pool.submit(self._fill, item, shelf)
                if len(begun) == MAX_ITEMS:
                    yield self._next(begun)
            while begun:
                yield self._next(begun)
        finally:
            with self._changed:
                self._is_over = True
                self._changed.notify_all()
            self._pool.shutdown(cancel_futures=True)

    def _next(self, begun: deque[tuple[Item, _Shelf[Piece]]]) -> tuple[Item, Iterator[Piece]]:
        item, shelf = begun.popleft()
        with self._changed:
            self._first = shelf
            self._changed.notify_all()
        return item, self._taken(shelf)

    def _taken(self, shelf: _Shelf[Piece]) -> Iterator[Piece]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: shelf.pieces or shelf.is_read)
                if not shelf.pieces:
                    break
                piece = shelf.pieces.popleft()
                self._held -= self._cost(piece)
                self._changed.notify_all()
            yield piece
        if shelf.error is not None:
            raise shelf.error

    def _fill(self, item: Item, shelf: _Shelf[Piece]) -> None:
        """Put an item's pieces on its shelf, as long as there is room; an error is kept for who takes them."""
        try:
            for piece in self._read(item):
                with self._changed:
                    self._changed.wait_for(lambda: self._has_room(shelf))
                    if self._is_over:
                        return
                    shelf.pieces.append(piece)
                    self._held += self._cost(piece)
                    self._changed.notify_all()
        except BaseException as error:  # noqa: BLE001 - raised again where the pieces are taken
            shelf.error = error
        finally:
            with self._changed:
                shelf.is_read = True
                self._changed.notify_all()

    def _has_room(self, shelf: _Shelf[Piece]) -> bool:
        wanted_now = shelf is self._first and not shelf.pieces
        return self._is_over or wanted_now or self._held < self._limit
