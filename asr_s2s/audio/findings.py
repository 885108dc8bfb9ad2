"""What comes to light while a recording is read: what of it is lost, and choices that its reader should know of."""

from copy import copy
from math import inf
from typing import Self

from asr_s2s.errors import AudioError, Damage

JOINED_SECONDS = 0.25  # losses this close and of one kind are one loss


class Findings:
    """Damage and notes of one recording, in the order in which they are met.

    strict: damage raises AudioError instead
    shift: seconds that are added to the times of what is found from now on
    stated_duration: seconds that its header states, or that are asked for; None until it is open, or if unknown
    missing_bytes: at the end of the file, if its parts state more than there are
    """

    def __init__(self, name: str, *, strict: bool = True) -> None:
        self.name = name
        self.strict = strict
        self.shift = 0.0
        self.stated_duration: float | None = None
        self.missing_bytes = 0
        self.damage: list[Damage] = []
        self._notes: list[str] = []
        self._pauses: list[tuple[float, float]] = []
        self._wanted = 0.0, inf

    def want(self, offset: float, duration: float | None) -> None:
        """Name the piece that is read: damage elsewhere does not count."""
        self._wanted = offset, inf if duration is None else offset + duration

    @property
    def notes(self) -> tuple[str, ...]:
        """The choices that were made, and what silence was added."""
        if not self._pauses:
            return tuple(self._notes)
        start, end = self._pauses[0]
        places = f"from {start:.2f} to {end:.2f} s"
        if len(self._pauses) > 1:
            total = sum(end - start for start, end in self._pauses)
            places = f"in {len(self._pauses)} places, {total:.2f} s in all, the first {places}"
        return *self._notes, f"holds no sound {places}; silence stands there"

    @property
    def cut(self) -> str | None:
        """What is wrong with the end of the file, if its parts show that it is cut off."""
        return f"is cut off: {self.missing_bytes} bytes are missing" if self.missing_bytes else None

    def part(self) -> Self:
        """Give findings about a part of the file, which go where these go; it has a shift and an end of its own."""
        part = copy(self)
        part.missing_bytes = 0
        return part

    def lost(self, start: float, end: float | None, reason: str) -> None:
        """Keep a stretch that could not be read.

        Raises AudioError if strict.
        """
        start, end = start + self.shift, None if end is None else end + self.shift
        if not self._is_wanted(start, end):
            return
        if self.strict:
            raise AudioError(f"{self.name}: {described(Damage(start, end, reason))}. Copy or record it again.")
        last = self.damage[-1] if self.damage else None
        if last and last.end is not None and last.reason == reason and start - last.end < JOINED_SECONDS:
            self.damage[-1] = Damage(last.start, None if end is None else max(last.end, end), reason)
        elif Damage(start, end, reason) not in self.damage:  # or else met again in a second look
            self.damage.append(Damage(start, end, reason))

    def pause(self, start: float, end: float) -> None:
        """Keep a stretch without sound that is no damage."""
        if self._is_wanted(start, end):
            self._pauses.append((start, end))

    def note(self, text: str) -> None:
        """Keep a choice, once."""
        if text not in self._notes:
            self._notes.append(text)

    def _is_wanted(self, start: float, end: float | None) -> bool:
        return start <= self._wanted[1] and (end is None or end >= self._wanted[0])


def described(damage: Damage) -> str:
    """Word a damage: what is wrong, and where."""
    if damage.end is None:
        return f"{damage.reason} after {damage.start:.2f} s"
    if damage.end - damage.start < 0.01:
        return f"{damage.reason} at {damage.start:.2f} s"
    return f"{damage.reason} from {damage.start:.2f} to {damage.end:.2f} s"
