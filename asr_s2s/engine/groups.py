"""Neighbours in a list that are computed together."""

from collections.abc import Iterator, Sequence


def groups(seconds: Sequence[float], limit: float) -> Iterator[tuple[int, int]]:
    """Return the bounds of groups of neighbours, each at most so many padded seconds, or a single one."""
    first, longest = 0, 0.0
    for index, length in enumerate(seconds):
        longest = max(longest, length)
        if index > first and longest * (index + 1 - first) > limit:
            yield first, index
            first, longest = index, length
    if seconds:
        yield first, len(seconds)
