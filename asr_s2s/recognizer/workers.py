"""Several processes, each with a model of its own, for machines with more cores than one model can use."""

import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import torch

from asr_s2s.errors import AsrError, AudioError
from asr_s2s.pool import in_processes
from asr_s2s.recognizer.load import load
from asr_s2s.recognizer.recognizer import Recognizer
from asr_s2s.recognizer.source import Recorded, Source, source_of
from asr_s2s.transcripts import Transcript

CHUNK = 16  # recordings that a process is given at once: enough for a batch, few enough to share out evenly
DIED = (
    "a worker process died: the system may have had too little memory for it. Use fewer --jobs, and --resume to go on."
)

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
        sources = (source_of(one).portable() for one in audio)
        chunks = iter(lambda: list(islice(sources, CHUNK)), [])
        for answers in in_processes(
            _transcribe, chunks, jobs=self._jobs, died=DIED, begin=_begin, arguments=self._arguments
        ):
            yield from answers


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
