"""A pool of processes that gives results in order, says what happened when one dies, and leaves on Ctrl-C."""

import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, get_context
from typing import Any, TypeVar

from asr_s2s.errors import AsrError

Item = TypeVar("Item")
Result = TypeVar("Result")

AHEAD = 2  # items a process that are given out before the first is done


def in_processes(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    jobs: int,
    died: str,
    begin: Callable[..., None] | None = None,
    arguments: tuple[Any, ...] = (),
) -> Iterator[Result]:
    """Apply a function to items in several processes and give the results in order, each as soon as it is due.

    died: what to say when a process dies
    begin: called with the arguments at the start of each process
    Raises AsrError if a process dies, and what the function raises; what was done before has been given.
    """
    others = set(active_children())
    waiting: deque[Future[Result]] = deque()
    context = get_context("spawn")  # a forked torch may hang on a lock of its threads
    with ProcessPoolExecutor(jobs, context, initializer=begin, initargs=arguments) as pool:
        try:
            for item in items:
                with _without_interruptions():  # which a process inherits: one may still import torch when Ctrl-C comes
                    waiting.append(pool.submit(function, item))
                if len(waiting) >= AHEAD * jobs:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise AsrError(died) from error
        except KeyboardInterrupt:
            for process in set(active_children()) - others:  # the pool, itself interrupted, may wait for them for ever
                process.terminate()
            raise
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _without_interruptions() -> Iterator[None]:
    """Put Ctrl-C off, for whatever process is begun meanwhile for ever: it is left to the one that began the others."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
