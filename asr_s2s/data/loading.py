"""Batches in the order of a plan, made ahead in threads while the model computes."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from asr_s2s.data.batch import Batch
from asr_s2s.data.dataset import SpeechDataset


def load_batches(
    dataset: SpeechDataset,
    plan: Sequence[Sequence[int]],
    *,
    epoch: int = 0,
    augmented: bool = False,
    threads: int = 1,
) -> Iterator[Batch]:
    """Give the batches of a plan (or of the rest of one) in its order; the number of threads changes no value.

    With 0 threads each batch is made when it is asked for.
    """
    if threads == 0:
        for indices in plan:
            yield dataset.batch(indices, epoch=epoch, augmented=augmented)
        return
    pool = ThreadPoolExecutor(threads)
    ahead: deque[Future[Batch]] = deque()
    try:
        for indices in plan:
            ahead.append(pool.submit(dataset.batch, indices, epoch=epoch, augmented=augmented))
            if len(ahead) > threads:  # each thread has one batch to make while one is used
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
