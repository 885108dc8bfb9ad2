"""Several processes, each with a model of its own, for machines with more cores than one model can use."""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol

import torch

from asr_s2s.errors import AsrError, AudioError
from asr_s2s.recognizer.load import load
from asr_s2s.recognizer.recognizer import Recognizer
from asr_s2s.recognizer.source import Recorded, Source, source_of
from asr_s2s.transcripts import Transcript

CHUNK = 16  # recordings that a process is given at once: enough for a batch, few enough to share out evenly
AHEAD = 2  # chunks a process that are given out before the first is done

Answer = tuple[Source, Transcript | AudioError]


class Transcriber(Protocol):
    """Whoever transcribes recordings in order: one recogniser, several processes, a cluster."""

    def transcribe_many(self, audio: Iterable[Recorded]) -> Iterator[Answer]:
        """Give each recording with its transcript, or the error that stands in its place."""
        ...


_recognizer: Recognizer | AsrError | None = None  # of a worker process; an error where it could not be loaded


class Workers:
    """Transcribes recordings in several processes, in order; each loads the model and takes its share of the threads.

    options: what `load` takes
    """

    def __init__(self, jobs: int, model: str | Path, *, threads: int | None = None, **options: Any) -> None:
        self._jobs = jobs
        self._arguments = (model, max(1, (threads or os.cpu_count() or 1) // jobs), options)

    def transcribe_many(self, audio: Iterable[Recorded]) -> Iterator[Answer]:
        """Transcribe recordings in order; what cannot be read comes back as its AudioError.

        Raises AsrError if a process dies, and what `load` raises; what was done before has been given.
        """
        sources = map(source_of, audio)
        context = get_context("spawn")  # a forked torch may hang on a lock of its threads
        waiting: deque[Future[list[Answer]]] = deque()
        with ProcessPoolExecutor(self._jobs, context, initializer=_begin, initargs=self._arguments) as pool:
            try:
                while chunk := list(islice(sources, CHUNK)):
                    waiting.append(pool.submit(_transcribe, chunk))
                    if len(waiting) >= AHEAD * self._jobs:
                        yield from waiting.popleft().result()
                while waiting:
                    yield from waiting.popleft().result()
            except BrokenProcessPool as error:
                raise AsrError(
                    "a worker process died: the system may have had too little memory for it. Use fewer --jobs, "
                    "and --resume to go on."
                ) from error
            finally:
                pool.shutdown(cancel_futures=True)


def _begin(model: str | Path, threads: int, options: Mapping[str, Any]) -> None:
    """Load the model of a process."""
    global _recognizer  # noqa: PLW0603 - a process has one
    torch.set_num_threads(threads)
    try:
        _recognizer = load(model, **options)
    except AsrError as error:  # an initialiser that fails would take its message with it
        _recognizer = error


def _transcribe(chunk: list[Source]) -> list[Answer]:
    if isinstance(_recognizer, AsrError):
        raise _recognizer
    assert _recognizer is not None, "the process has begun"
    return list(_recognizer.transcribe_many(chunk))
