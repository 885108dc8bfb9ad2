"""Many machines: Ray Data shares recordings out among workers of a cluster, and starts what dies anew."""

import logging
import os
import pickle
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from asr_s2s.errors import MissingExtraError
from asr_s2s.recognizer.audio_input import NamedAudio, source_of
from asr_s2s.recognizer.load import load
from asr_s2s.recognizer.source import AudioSource
from asr_s2s.recognizer.transcription import OnProgress
from asr_s2s.recognizer.workers import CHUNK, Answer, with_progress


class RayWorkers:
    """Transcribes recordings on a Ray cluster; each worker loads the model once.

    The cluster is the one that `ray start` or RAY_ADDRESS names, otherwise this machine alone. Workers read the files
    themselves: paths have to mean the same on every machine.
    jobs: workers; threads: of each; options: what `load` takes
    Raises MissingExtraError where Ray is not installed.
    """

    def __init__(self, jobs: int, model: str | Path, *, threads: int | None = None, **options: Any) -> None:
        self._ray = _ray()
        self._jobs, self._threads = jobs, threads or 1
        self._arguments = (model, self._threads, options)

    def transcribe_many(
        self, audio: Iterable[NamedAudio], *, in_order: bool = True, on_progress: OnProgress | None = None
    ) -> Iterator[Answer]:
        """Transcribe recordings; what cannot be read comes back as its AudioError."""
        data = self._ray.data
        if not self._ray.is_initialized():
            self._ray.init(log_to_driver=False, logging_level="warning")
        logging.getLogger("ray.data").setLevel(logging.WARNING)
        context = data.DataContext.get_current()
        context.execution_options.preserve_order = in_order
        context.enable_progress_bars = False
        items = [{"source": pickle.dumps(_absolute(source_of(item)))} for item in audio]
        if not items:
            return
        answers = data.from_items(items, override_num_blocks=-(-len(items) // CHUNK)).map_batches(
            _Worker,
            fn_constructor_args=self._arguments,
            compute=data.ActorPoolStrategy(size=self._jobs),
            batch_size=CHUNK,
            num_cpus=self._threads,
        )
        rows = answers.iter_rows()
        found = (pickle.loads(row["answer"]) for row in rows)  # noqa: S301 - they come from workers of this very run
        yield from with_progress(found, on_progress)


class _Worker:
    """What a worker of the cluster runs."""

    def __init__(self, model: str | Path, threads: int, options: dict[str, Any]) -> None:
        self._recognizer = load(model, threads=threads, **options)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[bytes]]:
        sources = [pickle.loads(source) for source in batch["source"]]  # noqa: S301 - from this very run
        return {"answer": [pickle.dumps(answer) for answer in self._recognizer.transcribe_many(sources)]}


def _absolute(source: AudioSource) -> AudioSource:
    """Name the file in full: workers have another working directory."""
    source = source.portable()
    return source if source.path is None else replace(source, path=source.path.absolute())


def _ray() -> Any:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # it would report to its maker
    try:
        import ray  # noqa: PLC0415 - an optional dependency
        import ray.data  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError("--where ray needs Ray: pip install 'asr-s2s[ray]'.") from error
    return ray
