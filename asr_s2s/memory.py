"""What the C library does with freed memory: a recording of hours takes no more than one of minutes, and no time.

The numbers of its settings are those of glibc's malloc.h.
"""

import ctypes
from collections.abc import Callable
from functools import cache

MMAP_THRESHOLD, TRIM_THRESHOLD = -3, -1
LARGEST_KEPT = 256 * 2**20


def keep_large_blocks() -> None:
    """Ask the C library to use freed blocks again, up to 256 MB, until `trim_memory`.

    glibc returns a block of over 32 MB to the system at once otherwise, and the scores of a beam's next tokens, new at
    every step, are such a block: to touch its pages for the first time took longer than to compute them.
    """
    if setting := _of_c_library("mallopt"):
        setting(MMAP_THRESHOLD, LARGEST_KEPT)
        setting(TRIM_THRESHOLD, 2 * LARGEST_KEPT)


def trim_memory() -> None:
    """Ask the C library to give back what was freed.

    glibc keeps it otherwise: samples that the reading threads make lie in pools of their own, and those grow by as
    much as an hour of sound takes.
    """
    if trim := _of_c_library("malloc_trim"):
        trim(0)


@cache
def _of_c_library(name: str) -> Callable[..., int] | None:
    """Find one of glibc's own functions; other C libraries have none."""
    try:
        found: Callable[..., int] = getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError, TypeError):
        return None
    return found
