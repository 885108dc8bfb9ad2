"""Trains in processes that know of each other as torchrun makes them, forked from one that has imported torch."""

import multiprocessing
import os
import socket
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from asr_s2s.training import ExperimentConfig, train

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["asr_s2s.training", "torch._dynamo", "together"])
SECONDS = 120  # a run of processes that wait for each other forever ends here


def train_together(
    config: ExperimentConfig, output: Path, *, count: int, spoil: Callable[[int], None] | None = None
) -> list[int | None]:
    """Train in so many processes and give their exit codes; None for one that had to be ended.

    spoil: called with the rank in each process before it trains
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    world = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(count)}
    processes = [
        FORKS.Process(target=_train, args=(config, output, spoil, world | {"RANK": str(rank)})) for rank in range(count)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(SECONDS)
    codes = [process.exitcode for process in processes]
    for process in processes:
        process.kill()
    return codes


def _train(
    config: ExperimentConfig, output: Path, spoil: Callable[[int], None] | None, environment: dict[str, str]
) -> None:
    os.environ |= environment
    rank = environment["RANK"]
    if spoil:
        spoil(int(rank))
    with (output.parent / f"{rank}.txt").open("w") as said:
        train(config, output=output, resume=True, console=Console(file=said, width=300))
