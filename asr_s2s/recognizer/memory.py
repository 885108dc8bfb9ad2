"""Memory that is no longer used, given back: a recording of hours takes no more than one of minutes."""

import ctypes
from collections.abc import Callable
from functools import cache


def give_back() -> None:
    """Ask the C library to give back what was freed.

    glibc keeps it otherwise: samples that the reading threads make lie in pools of their own, and those grow by as
    much as an hour of sound takes.
    """
    if trim := _malloc_trim():
        trim(0)


@cache
def _malloc_trim() -> Callable[[int], int] | None:
    """Find glibc's function; other C libraries have none."""
    try:
        found: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None
    return found
