"""Several processes, each with a model of its own, for machines with more cores than one model can use."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from asr_s2s.errors import AsrError, AudioError
from asr_s2s.memory import keep_large_blocks
from asr_s2s.pool import in_processes
from asr_s2s.recognizer.audio_input import NamedAudio, source_of
from asr_s2s.recognizer.load import load
from asr_s2s.recognizer.recognizer import Recognizer
from asr_s2s.recognizer.source import AudioSource
from asr_s2s.recognizer.transcription import OnProgress, TranscriptionProgress
from asr_s2s.transcripts import Transcript

# What a process is given at once: recordings enough for a batch, few and small enough to share out evenly, and to lose
# little where the work is broken off
CHUNK, CHUNK_BYTES = 16, 4e6
DIED = (
    "a worker process died: the system may have had too little memory for it. Use fewer --jobs, and --resume to go on."
)

Answer = tuple[AudioSource, Transcript | AudioError]


class Transcriber(Protocol):
    """Whoever transcribes recordings: one recogniser, several processes, a cluster."""

    def transcribe_many(
        self, audio: Iterable[NamedAudio], *, in_order: bool = True, on_progress: OnProgress | None = None
    ) -> Iterator[Answer]:
        """Return each recording with its transcript, or the error in its place; in order, or when it is done.

        on_progress: called with what is new of a recording; from other processes only with the whole
        """
        ...


def with_progress(answers: Iterable[Answer], on_progress: OnProgress | None) -> Iterator[Answer]:
    """Report each transcript as a whole before it is given."""
    for source, result in answers:
        if on_progress and isinstance(result, Transcript):
            on_progress(TranscriptionProgress(source, result.segments, result.duration, result.duration))
        yield source, result


_recognizer: Recognizer | AsrError | None = None  # of a worker process; an error where it could not be loaded


class Workers:
    """Transcribes recordings in several processes; each loads the model and takes its share of the threads.

    options: what `load` takes
    """

    def __init__(self, jobs: int, model: str | Path, *, threads: int | None = None, **options: Any) -> None:
        self._jobs = jobs
        self._arguments = (model, max(1, (threads or os.cpu_count() or 1) // jobs), options)

    def transcribe_many(
        self, audio: Iterable[NamedAudio], *, in_order: bool = True, on_progress: OnProgress | None = None
    ) -> Iterator[Answer]:
        """Transcribe recordings; what cannot be read comes back as its AudioError.

        in_order: without, each is given as soon as it is done, also when the work is broken off
        Raises AsrError if a process dies, and what `load` raises; what was done before has been given.
        """
        for answers in in_processes(
            _transcribe,
            _chunks(source_of(one).portable() for one in audio),
            jobs=self._jobs,
            died=DIED,
            begin=_begin,
            arguments=self._arguments,
            in_order=in_order,
        ):
            yield from with_progress(answers, on_progress)


def _chunks(sources: Iterable[AudioSource]) -> Iterator[list[AudioSource]]:
    chunk: list[AudioSource] = []
    size = 0
    for source in sources:
        chunk.append(source)
        size += _size(source)
        if len(chunk) == CHUNK or size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _size(source: AudioSource) -> int:
    """Return the bytes of a recording's file, which tell how long it takes."""
    try:
        return source.path.stat().st_size if source.path else 0
    except (OSError, ValueError):  # which the process that reads it says
        return 0


def _begin(model: str | Path, threads: int, options: Mapping[str, Any]) -> None:
    """Load the model of a process."""
    keep_large_blocks()  # the process is ours
    global _recognizer  # noqa: PLW0603 - a process has one
    try:
        _recognizer = load(model, threads=threads, **options)
    except AsrError as error:  # an initialiser that fails would take its message with it
        _recognizer = error


def _transcribe(chunk: list[AudioSource]) -> list[Answer]:
    if isinstance(_recognizer, AsrError):
        raise _recognizer
    assert _recognizer is not None, "the process has begun"
    return list(_recognizer.transcribe_many(chunk))
