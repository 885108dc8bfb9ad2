"""Batches in the order in which they were asked for, made ahead while the model computes.

From process to process tensors go in shared memory: importing torch sees to that.
"""

from collections import deque
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import torch

from asr_s2s.data.batch import Batch
from asr_s2s.data.dataset import SpeechDataset
from asr_s2s.pool import in_processes

DIED = "A process that makes batches died; the system may have run out of memory. Lower data.workers, and --resume."

Wanted = tuple[int, Sequence[int]]  # an epoch, and the utterances of one of its batches

_dataset: SpeechDataset


def load_batches(
    dataset: SpeechDataset, wanted: Iterable[Wanted], *, augmented: bool = False, workers: int = 0
) -> Generator[Batch, None, None]:
    """Give batches in the order in which they are wanted; the number of workers changes no value.

    workers: 0: each batch is made when it is asked for; 1: in a thread; more: each in a process of its own, because
        threads of one interpreter wait for each other (decision 0029)
    Raises AsrError if a process dies, and what making a batch raises.
    """
    if workers == 0:
        for epoch, indices in wanted:
            yield dataset.batch(indices, epoch=epoch, augmented=augmented)
    elif workers == 1:
        yield from _in_a_thread(dataset, wanted, augmented=augmented)
    else:
        orders = ((epoch, indices, augmented) for epoch, indices in wanted)
        yield from in_processes(_make, orders, jobs=workers, died=DIED, begin=_begin, arguments=(dataset,))


def _in_a_thread(dataset: SpeechDataset, wanted: Iterable[Wanted], *, augmented: bool) -> Generator[Batch, None, None]:
    pool = ThreadPoolExecutor(1)
    ahead: deque[Future[Batch]] = deque()
    try:
        for epoch, indices in wanted:
            ahead.append(pool.submit(dataset.batch, indices, epoch=epoch, augmented=augmented))
            if len(ahead) > 1:  # one is made while one is used
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(dataset: SpeechDataset) -> None:
    """Keep the data set of a process, which has one core to itself."""
    global _dataset  # noqa: PLW0603 - a process has one
    torch.set_num_threads(1)
    _dataset = dataset


def _make(order: tuple[int, Sequence[int], bool]) -> Batch:
    epoch, indices, augmented = order
    return _dataset.batch(indices, epoch=epoch, augmented=augmented)
