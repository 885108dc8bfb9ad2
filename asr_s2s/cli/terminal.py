"""Standard output is for results alone; everything else that the command says goes to standard error."""

import io
import math
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
    """How much of some recordings is done, how fast and for how long still; a bar on a terminal, nothing elsewhere."""

    def __init__(self, total: int, *, shown: bool = True) -> None:
        self._total = total
        self._bar = _bar() if total and shown and sys.stderr.isatty() else None
        self._task = self._bar.add_task("", total=total) if self._bar else None
        self._began = time.monotonic()
        self._done, self._seconds = 0, 0.0
        self._parts: dict[str, tuple[float, float]] = {}  # of recordings that are not done: seconds, and of how many

    def reach(self, name: str, seconds: float, *, of: float | None) -> None:
        """Note how many seconds of a recording are done; its share counts where its length is known."""
        self._parts[name] = seconds, max(of or math.inf, seconds, 1e-3)
        self._show()

    def done(self, seconds: float = 0.0, *, name: str = "", count: int = 1) -> None:
        """Count recordings of so many seconds together; without any the speed is not shown."""
        self._parts.pop(name, None)
        self._done += count
        self._seconds += seconds
        self._show()

    def output(self, text: str) -> None:
        """Write a result above the bar."""
        if self._bar and sys.stdout.isatty():
            self._bar.stop()
            output(text)
            self._bar.start()
        else:
            output(text)

    def _show(self) -> None:
        if not self._bar or self._task is None:
            return
        seconds = self._seconds + sum(part for part, _ in self._parts.values())
        shown = f"{self._done} of {self._total}" if self._total > 1 else ""
        if seconds:
            speed = seconds / max(time.monotonic() - self._began, 1e-3)
            shown = ", ".join([*filter(None, [shown]), f"{moment(seconds)} of audio, {speed:.0f} × real time"])
        share = sum(part / whole for part, whole in self._parts.values())
        self._bar.update(self._task, completed=self._done + share, description=shown)

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()


def moment(seconds: float) -> str:
    """Write a time as players show it: 0:07, 26:02, 1:03:20."""
    minutes, second = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{second:02}" if minutes >= 60 else f"{minutes}:{second:02}"


def _bar() -> "Bar":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)
