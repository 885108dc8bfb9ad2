"""What ends a command from outside, Ctrl-C, SIGTERM or a closed terminal, ends it alike: what was finished is kept."""

import signal
from types import FrameType


class Ending:
    """The signal that ends the command, raised as KeyboardInterrupt wherever the command is."""

    # Ctrl-C is Python's own; Windows has no SIGHUP
    ASKED_BY = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))

    def __init__(self) -> None:
        self._signal: int | None = None

    @property
    def status(self) -> int:
        """The exit status of a command that was interrupted."""
        return 128 + (self._signal or signal.SIGINT)

    def watch(self) -> None:
        """Treat the signals as Ctrl-C; not SIGHUP where `nohup` has it ignored."""
        for number in self.ASKED_BY:
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, self._interrupt)

    def _interrupt(self, number: int, _frame: FrameType | None) -> None:
        if self._signal is None:  # a service manager sends both, while what is finished is being saved
            self._signal = number
            raise KeyboardInterrupt


class InterruptedWorkError(Exception):
    """An interruption, with what it leaves: '12 of 40 files written'."""
