"""Count what is often without holding all that is rare.

Manku 2002: Manku and Motwani, "Approximate frequency counts over data streams", VLDB 2002 (lossy counting).
"""

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

Item = TypeVar("Item", bound=Hashable)

MOST_KINDS = 200_000  # some 30 MB; only made-up texts, or very long ones, make more kinds of errors

AT_ONCE = 1000


class Ranking(Generic[Item]):
    """Counts of items; where there are more than MOST_KINDS, the rarest are let go.

    short_by: how much a count may be too low, for that reason; 0 where nothing was let go
    """

    def __init__(self, most: int = MOST_KINDS) -> None:
        self.short_by = 0
        self._counts: Counter[Item] = Counter()
        self._waiting: list[Item] = []  # counting many at once is several times as fast
        self._most = most

    def update(self, items: Iterable[Item]) -> None:
        """Count each item."""
        self._waiting.extend(items)
        if len(self._waiting) >= AT_ONCE:
            self._count()

    @property
    def counts(self) -> Counter[Item]:
        """Return the counts so far."""
        self._count()
        return self._counts

    def _count(self) -> None:
        self._counts.update(self._waiting)
        self._waiting.clear()
        while len(self._counts) > self._most:
            self.short_by += 1
            self._counts = Counter({item: count for item, count in self._counts.items() if count > self.short_by})
