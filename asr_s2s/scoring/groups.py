"""Which group an utterance is in: the value of a field of its line, or a bucket of a measured one."""

import math
from array import array
from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

FLAGS = "flags"
NO_FLAG = "(none)"
UNKNOWN = ""  # a line that does not tell
NOT_GROUPED = {"id", "audio_filepath", "text", "pred_text", "words", "segments"}  # another in every line

# Lower bounds of all buckets but the first.
BUCKETS: dict[str, tuple[tuple[float, ...], str]] = {
    "duration": ((1, 2, 5, 10, 20, 30), "s"),
    "speed": ((1, 1.5, 2, 2.5, 3, 3.5, 4), "words/s"),
    "snr": ((0, 5, 10, 15, 20, 30), "dB"),
}


class Groups:
    """The groups of one field, four bytes an utterance; those that are never put into one are of an UNKNOWN value."""

    def __init__(self, field: str) -> None:
        self.field = field
        self._values: dict[str, int] = {}
        self._codes = array("i")

    def add(self, at: int, labels: Mapping[str, Any], num_words: int) -> None:
        """Put the at-th utterance into its group, in order; labels are the fields of its line."""
        self._fill(at)
        self._codes.append(self._code(value_of(self.field, labels, num_words)))

    def codes(self, count: int) -> NDArray[np.int32]:
        """Return each of so many utterances' group as a number: (utterance,)."""
        self._fill(count)
        return np.frombuffer(self._codes, np.int32)

    @property
    def known(self) -> bool:
        """Return whether any utterance has a value."""
        return any(value != UNKNOWN for value in self._values)

    def members(self, count: int) -> list[tuple[str, NDArray[np.bool_]]]:
        """Return the values of so many utterances in order, buckets by size, each with its utterances."""
        codes = self.codes(count)
        if self.field in BUCKETS:
            labels = [UNKNOWN, *(_label(self.field, at) for at in range(len(BUCKETS[self.field][0]) + 1))]
            ordered = [label for label in labels if label in self._values]
        else:
            ordered = sorted(self._values, key=_natural)
        return [(value, codes == self._values[value]) for value in ordered]

    def _fill(self, count: int) -> None:
        if count > len(self._codes):
            self._codes.extend([self._code(UNKNOWN)] * (count - len(self._codes)))

    def _code(self, value: str) -> int:
        return self._values.setdefault(value, len(self._values))


class FlagGroups:
    """The flags that transcripts raise; an utterance may have several or none."""

    def __init__(self) -> None:
        self._flagged: dict[str, array[int]] = {}

    def add(self, at: int, labels: Mapping[str, Any]) -> None:
        """Note the flags of the at-th utterance's hypothesis."""
        for flag in flags_of(labels):
            self._flagged.setdefault(flag, array("q")).append(at)

    def members(self, count: int) -> list[tuple[str, NDArray[np.bool_]]]:
        """Return each flag with its utterances, then those of all so many without any; empty where none was raised."""
        if not self._flagged:
            return []
        free = np.ones(count, dtype=bool)
        found = []
        for flag, places in sorted(self._flagged.items()):
            chosen = np.zeros(count, dtype=bool)
            chosen[np.frombuffer(places, np.int64)] = True
            free &= ~chosen
            found.append((flag, chosen))
        return [*found, (NO_FLAG, free)]


def flags_of(labels: Mapping[str, Any]) -> list[str]:
    """List the flags of a hypothesis, or of a segment of it, whether it holds them with values or by name alone."""
    flags = labels.get(FLAGS)
    if isinstance(flags, str):
        return [flags]
    return list(dict.fromkeys(map(str, flags))) if isinstance(flags, dict | list) else []


def value_of(field: str, labels: Mapping[str, Any], num_words: int) -> str:
    """Return an utterance's value of a field, or its bucket; UNKNOWN where the line does not tell.

    speed: words of the reference a second, from its line's duration
    """
    if field not in BUCKETS:
        value = labels.get(field)
        return UNKNOWN if value is None else str(value)
    value = labels.get("duration" if field == "speed" else field)
    try:
        number = float(value)  # type: ignore[arg-type]  # None and words are caught
    except (TypeError, ValueError):
        return UNKNOWN
    if not math.isfinite(number):
        return UNKNOWN
    if field == "speed":
        if not number:
            return UNKNOWN
        number = num_words / number
    return _label(field, bisect_right(BUCKETS[field][0], number))


def _natural(value: str) -> tuple[float, str]:
    """Order numbers by size, before words in their order."""
    try:
        return float(value), value
    except ValueError:
        return (float("-inf") if value == UNKNOWN else float("inf")), value


def _label(field: str, at: int) -> str:
    bounds, unit = BUCKETS[field]
    if at == 0:
        return f"under {bounds[0]:g} {unit}"
    return f"from {bounds[at - 1]:g} {unit}" if at == len(bounds) else f"{bounds[at - 1]:g} to {bounds[at]:g} {unit}"
