"""A pool of processes that says what happened when one dies, and leaves on an interruption and with its parent."""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, get_context, parent_process
from typing import Any, TypeVar

from asr_s2s.errors import AsrError

Item = TypeVar("Item")
Result = TypeVar("Result")

# A service manager sends them to every process. Windows knows not all of them, and cannot put them off.
INTERRUPTIONS = {getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)}
AHEAD = 2  # items a process that are given out before the first is done


def in_processes(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    jobs: int,
    died: str,
    begin: Callable[..., None] | None = None,
    arguments: tuple[Any, ...] = (),
    in_order: bool = True,
) -> Iterator[Result]:
    """Apply a function to items in several processes and give the results, each as soon as it is due.

    died: what to say when a process dies
    begin: called with the arguments at the start of each process
    in_order: without, a result is due once it is there; what is there when a process dies or Ctrl-C comes is given too
    Raises AsrError if a process dies, and what the function raises; what was done before has been given.
    """
    others = set(active_children())
    waiting: list[Future[Result]] = []
    context = get_context("spawn")  # a forked torch may hang on a lock of its threads
    with _without_interruptions():  # also for multiprocessing's own tracker of resources, which ignores all but SIGHUP
        executor = ProcessPoolExecutor(jobs, context, initializer=_begin, initargs=(begin, arguments))
    with executor as pool:
        try:
            for item in items:
                with _without_interruptions():  # which a process inherits: one may still import torch when Ctrl-C comes
                    waiting.append(pool.submit(function, item))
                if len(waiting) >= AHEAD * jobs:
                    yield _next(waiting, in_order=in_order)
            while waiting:
                yield _next(waiting, in_order=in_order)
        except BrokenProcessPool as error:
            yield from () if in_order else _finished(waiting)
            raise AsrError(died) from error
        except (KeyboardInterrupt, GeneratorExit) as error:
            for process in set(active_children()) - others:  # the pool, itself interrupted, may wait for them for ever
                process.kill()
            if isinstance(error, KeyboardInterrupt) and not in_order:
                yield from _finished(waiting)
            raise
        finally:
            pool.shutdown(cancel_futures=True)


def _next(waiting: list[Future[Result]], *, in_order: bool) -> Result:
    """Wait for the first result, or for any; it waits on while it is not given, where an interruption finds it."""
    future = waiting[0] if in_order else next(iter(wait(waiting, return_when=FIRST_COMPLETED).done))
    result = future.result()
    waiting.remove(future)
    return result


def _finished(waiting: list[Future[Result]]) -> Iterator[Result]:
    return (one.result() for one in waiting if one.done() and not one.cancelled() and one.exception() is None)


def _begin(begin: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    """Begin a process, which ends with the one that began it, however that ends."""
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    if begin:
        begin(*arguments)


def _leave_with_parent() -> None:
    parent = parent_process()
    assert parent is not None, "it is a process of a pool"
    parent.join()
    os._exit(1)


@contextmanager
def _without_interruptions() -> Iterator[None]:
    """Put interruptions off, in a process begun meanwhile for ever: they are left to the one that began the others."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPTIONS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
