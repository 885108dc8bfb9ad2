"""What a run says while it works: a bar on a terminal, plain lines elsewhere, all of it on the given console."""

import signal
import threading
from collections.abc import Mapping
from types import FrameType, TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Report:
    """Lines that stay, and one bar that shows how much of the run is done."""

    def __init__(self, console: Console, *, process: int = 0) -> None:
        """Report to a console; the bar appears only where that is a terminal.

        process: of several, the first tells how the run goes; the others only warn
        """
        self._console = console
        self._process = process
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
        clocks = (TimeElapsedColumn(), TimeRemainingColumn())
        self._bar = Progress(
            *columns, *clocks, console=console, transient=True, disable=not console.is_terminal or process > 0
        )
        self._task = self._bar.add_task("starting", total=1.0)

    def __enter__(self) -> "Report":
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def line(self, text: str, *, style: str | None = None) -> None:
        """Print a line as it is; brackets in a transcript are not markup."""
        if self._process == 0:
            self._console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        """Print what only this process knows and somebody has to know."""
        text = f"process {self._process}: {text}" if self._process else text
        self._console.print(text, style="bold yellow", markup=False, highlight=False, soft_wrap=True)

    def step(self, description: str, *, progress: float) -> None:
        """Move the bar to a share of the run, 0 to 1."""
        self._bar.update(self._task, description=description, completed=progress)


class Interruption:
    """Ctrl-C or SIGTERM, kept until the step is complete, so that the run can save itself and then leave."""

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    def __enter__(self) -> "Interruption":
        # Python lets only the main thread set handlers; elsewhere a signal keeps its usual effect.
        in_main_thread = threading.current_thread() is threading.main_thread()
        self._previous = {number: signal.signal(number, self._keep) for number in self.SIGNALS if in_main_thread}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def obey(self) -> None:
        """Let a signal that came, here or in another process, have its usual effect, now that everything is saved."""
        number, self.signal = self.signal or signal.SIGTERM, None
        signal.signal(number, self._previous[number])
        signal.raise_signal(number)

    def _keep(self, number: int, _frame: FrameType | None) -> None:
        if self.signal is not None:  # the second one does not wait
            raise KeyboardInterrupt
        self.signal = signal.Signals(number)


def described(values: Mapping[str, float]) -> str:
    """Write losses for people: 'cross entropy 0.532, ctc 1.201'."""
    return ", ".join(f"{name.removesuffix('_loss').replace('_', ' ')} {value:.3f}" for name, value in values.items())
