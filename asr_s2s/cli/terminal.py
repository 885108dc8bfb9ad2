"""Standard output is for results alone; everything else that the command says goes to standard error."""

import io
import os
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import Progress as Bar


LONGEST_LINE = 2_000  # characters of a message: a name or a field may have millions


def open_streams() -> None:
    """Make the standard streams safe to use: none closed, and no character that stops what is written.

    What is written to a standard output that was closed fails, as it should; messages for a closed one are lost.
    """
    for number, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # gets the lowest number that is free: this one
    sys.stdin = sys.stdin or open(0, encoding="utf-8")  # noqa: SIM115 - they stay open
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def say(message: str) -> None:
    """Say something to the person at the terminal."""
    lines = (f"{line[:LONGEST_LINE]} ..." if len(line) > LONGEST_LINE else line for line in message.split("\n"))
    print("\n".join(lines), file=sys.stderr, flush=True)  # noqa: T201 - the one place that prints


def show(what: "RenderableType", *, result: bool = False) -> None:
    """Show a table, as a result on standard output or beside it; lines are not cut where nobody looks at them."""
    from rich.console import Console

    stream = sys.stdout if result else sys.stderr
    Console(file=stream, width=None if stream.isatty() else 120, highlight=False).print(what, soft_wrap=True)


def output(text: str) -> None:
    """Write a result; a newline is added where there is none."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
    sys.stdout.flush()


class Progress:
    """How many recordings are done, how fast and for how long still; a bar on a terminal, nothing elsewhere.

    shown: False where results go to the terminal themselves
    """

    def __init__(self, total: int, *, shown: bool) -> None:
        self._bar = _bar() if shown and total > 1 and sys.stderr.isatty() else None
        self._task = self._bar.add_task("", total=total) if self._bar else None
        self._began, self._seconds = time.monotonic(), 0.0

    def done(self, seconds: float = 0.0, *, count: int = 1) -> None:
        """Count recordings of so many seconds together; without any the speed is not told."""
        self._seconds += seconds
        if self._bar and self._task is not None:
            speed = self._seconds / max(time.monotonic() - self._began, 1e-3)
            told = f"{speed:.0f} times as fast as speech" if self._seconds else ""
            self._bar.update(self._task, advance=count, description=told)

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()


def _bar() -> "Bar":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)
