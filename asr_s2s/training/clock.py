"""The time that a run has taken, in all its sittings, and how much of what it may take that is."""

import time
from dataclasses import dataclass, field


@dataclass
class Clock:
    """Seconds of work; processes that train together go by what they agreed the time to be."""

    minutes: float | None  # a limit
    before: float = 0.0  # seconds in earlier sittings
    now: float = 0.0  # seconds, as all processes know them; set by whoever asks them
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.now = self.before

    @property
    def seconds(self) -> float:
        """Time spent so far, in all sittings, on this process's own clock."""
        return self.before + time.monotonic() - self.began

    @property
    def share(self) -> float:
        """The share of the time that is gone; 0 without a limit."""
        return self.now / (60 * self.minutes) if self.minutes else 0.0

    @property
    def over(self) -> bool:
        """Whether the time is gone."""
        return self.minutes is not None and self.now >= 60 * self.minutes
