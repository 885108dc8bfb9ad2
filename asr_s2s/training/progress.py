"""What a run says while it works: lines, and on a terminal a live view; and how it leaves when it is told to."""

import math
import signal
import threading
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from itertools import pairwise
from types import FrameType, TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

BLOCKS = "▁▂▃▄▅▆▇█"
RECENT = 2000  # steps that a curve of the live view goes back


class ProgressReport:
    """Lines that stay and, on a terminal, a live view below them: how much is done, losses, word error rates, speed."""

    def __init__(self, console: Console, *, process: int = 0) -> None:
        """Report to a console.

        process: of several, the first tells how the run goes; the others only warn
        """
        self._console = console
        self._process = process
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
        self._bar = Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console)
        self._task = self._bar.add_task("starting", total=1.0)
        self._curves: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=RECENT))
        self._rates: list[float] = []
        self._pace = ""
        shown = console.is_terminal and process == 0
        self._live = Live(console=console, transient=True, get_renderable=self._view) if shown else None

    def __enter__(self) -> "ProgressReport":
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def line(self, text: str, *, style: str | None = None) -> None:
        """Print a line as it is; brackets in a transcript are not markup."""
        if self._process == 0:
            self._console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        """Print what only this process knows and somebody has to know."""
        text = f"process {self._process}: {text}" if self._process else text
        self._console.print(text, style="bold yellow", markup=False, highlight=False, soft_wrap=True)

    def step(self, description: str, *, progress: float, losses: Mapping[str, float], pace: str = "") -> None:
        """Show a step: the share of the run that is done, 0 to 1, its losses, and how fast the run is."""
        self._bar.update(self._task, description=description, completed=progress)
        self._pace = pace
        for name, value in losses.items():
            self._curves[name.replace("_", " ")].append(value)

    def evaluated(self, *, wer: float) -> None:
        """Show the word error rate of an evaluation."""
        self._rates.append(wer)

    def _view(self) -> Group:
        curves = Table("", "now", "", "lowest", "highest", box=None, padding=(0, 1), header_style="dim")
        rows = [(name, values, "{:.3f}") for name, values in self._curves.items()]
        for name, values, form in [*rows, ("dev WER", self._rates, "{:.1%}")]:
            finite = [value for value in values if math.isfinite(value)]
            if finite:
                bounds = (form.format(bound) for bound in (min(finite), max(finite)))
                curves.add_row(name, form.format(values[-1]), sparkline(values), *bounds)
        return Group(curves, self._pace, self._bar)


def sparkline(values: Iterable[float], *, width: int = 40) -> str:
    """Draw a curve in a line of blocks, from the lowest to the highest of its values; each block is a mean."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return ""
    count = min(width, len(finite))
    edges = [len(finite) * place // count for place in range(count + 1)]
    means = [sum(finite[first:end]) / (end - first) for first, end in pairwise(edges)]
    low, high = min(means), max(means)
    return "".join(BLOCKS[round((len(BLOCKS) - 1) * (mean - low) / ((high - low) or 1.0))] for mean in means)


class Interruption:
    """Ctrl-C, SIGTERM or a closed terminal, kept until the step is complete, so that the run can save itself."""

    SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    def __enter__(self) -> "Interruption":
        # Python lets only the main thread set handlers; elsewhere a signal keeps its usual effect.
        in_main_thread = threading.current_thread() is threading.main_thread()
        started_by_nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        kept = [number for number in self.SIGNALS if not (number == signal.SIGHUP and started_by_nohup)]
        self._previous = {number: signal.signal(number, self._keep) for number in kept if in_main_thread}
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
