"""The processes that train one model together: each takes its share of the batches, and all make the same step.

What they exchange is written where it happens: sums of a few numbers, sums of the gradients, values for the first one
to save. Between those no process waits for another, so that one that has fewer batches, or tries a batch again, calls
no less and no more often than the others (decision 0020).
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Self, TypeVar, cast

import torch
from torch import Tensor, distributed, nn

from asr_s2s.errors import AsrError

Value = TypeVar("Value")

PATIENCE = timedelta(hours=6)  # the others wait while the first process evaluates and saves
BUCKET = 25 * 2**20  # bytes of gradients that are sent together


@dataclass(frozen=True)
class Processes:
    """How many processes there are, and which of them this is; a single one exchanges nothing."""

    rank: int = 0
    count: int = 1
    local_rank: int = 0  # on its machine, where each process has a graphics card of its own

    @classmethod
    def from_environment(cls) -> "Processes":
        """Read what torchrun says; without it there is one process."""
        names = {"rank": "RANK", "count": "WORLD_SIZE", "local_rank": "LOCAL_RANK"}
        return cls(**{name: int(os.environ[key]) for name, key in names.items() if key in os.environ})

    @property
    def first(self) -> bool:
        """Whether this is the process that writes, evaluates and speaks."""
        return self.rank == 0

    def __enter__(self) -> Self:
        if self.count > 1:
            backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
            distributed.init_process_group(backend, timeout=PATIENCE)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.count > 1:
            if error is None:
                with _with_others():
                    distributed.barrier()
            distributed.destroy_process_group()

    def sums(self, values: Mapping[str, float]) -> dict[str, float]:
        """Add up numbers by name over all processes; each gives the same names in the same order."""
        if self.count == 1:
            return dict(values)
        numbers = torch.tensor(list(values.values()), dtype=torch.float64)
        with _with_others():
            distributed.all_reduce(numbers)
        return dict(zip(values, numbers.tolist(), strict=True))

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace each gradient by its sum over all processes; one that is missing counts as zero."""
        if self.count == 1:
            return
        gradients = []
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            gradients.append(parameter.grad)
        for bucket in _buckets(gradients):
            joined = torch.cat([gradient.flatten() for gradient in bucket])
            with _with_others():
                distributed.all_reduce(joined)
            parts = torch.split(joined, [gradient.numel() for gradient in bucket])
            for gradient, part in zip(bucket, parts, strict=True):
                gradient.copy_(part.view_as(gradient))

    def gathered(self, value: Value) -> list[Value]:
        """Return every process's value, in the order of the processes."""
        values = [value] * self.count
        if self.count > 1:
            with _with_others():
                distributed.all_gather_object(values, value)
        return values

    def of_first(self, value: Value | None) -> Value:
        """Return the first process's value in every process; the others' is ignored."""
        found = self.gathered(value if self.first else None)[0]
        return cast("Value", found)


@contextmanager
def _with_others() -> Iterator[None]:
    """Exchange something; where that fails, another process has ended, and it alone knows why."""
    try:
        yield
    except RuntimeError as error:
        raise AsrError(
            "Another process of this run has ended; its message says why. Start all of them again."
        ) from error


def _buckets(gradients: Iterable[Tensor]) -> Iterable[list[Tensor]]:
    """Put gradients together until a bucket is full; a type of number has its own."""
    bucket: list[Tensor] = []
    for gradient in gradients:
        size = sum(one.nbytes for one in bucket)
        if bucket and (size >= BUCKET or gradient.dtype != bucket[0].dtype):
            yield bucket
            bucket = []
        bucket.append(gradient)
    if bucket:
        yield bucket
