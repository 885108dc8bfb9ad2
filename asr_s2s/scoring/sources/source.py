"""What one side says: its texts in order, and each again when it is asked for."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Protocol

from asr_s2s.errors import ScoringError, listed
from asr_s2s.inputs import InputFile

Side = Literal["reference", "hypothesis"]
By = Literal["id", "line", "time", "recording"]

NUM_FAULTS_SHOWN = 5


NO_LABELS: Mapping[str, Any] = MappingProxyType({})


class Text(NamedTuple):
    """What one side says of one utterance; labels are its manifest's other fields, for grouping."""

    id: str
    text: str
    labels: Mapping[str, Any] = NO_LABELS


class TextSource(Protocol):
    """All texts of one side."""

    @property
    def name(self) -> str:
        """Return the name for the report."""
        ...

    @property
    def file(self) -> InputFile | None:
        """Return the file, None for texts from memory."""
        ...

    @property
    def by(self) -> By:
        """Say what the texts are named by; their numbers where there are no ids."""
        ...

    @property
    def remarks(self) -> tuple[str, ...]:
        """Return what a reader of the report must know of this file."""
        ...

    def texts(self) -> Iterator[Text]:
        """Read all texts in order; to be exhausted once, before any is asked for again."""
        ...

    def __getitem__(self, number: int) -> Text:
        """Return the number-th text again, counted from 0."""
        ...

    def close(self) -> None:
        """Close what was opened."""
        ...


@dataclass(frozen=True, slots=True)
class MemorySource:
    """Texts that lie in memory."""

    name: str
    held: Sequence[Text]
    file: InputFile | None = None
    by: By = "id"
    remarks: tuple[str, ...] = ()

    def texts(self) -> Iterator[Text]:
        """Return all texts in order."""
        return iter(self.held)

    def __getitem__(self, number: int) -> Text:
        """Return the number-th text."""
        return self.held[number]

    def close(self) -> None:
        """Do nothing: no file is open."""


def by_line(name: str, lines: Sequence[str]) -> MemorySource:
    """Take texts that have no ids; an empty line is an utterance too."""
    return MemorySource(name, [Text(line_name(number), line) for number, line in enumerate(lines)], by="line")


def line_name(number: int) -> str:
    """Name a text by its line; number counts from 0."""
    return f"line {number + 1}"


class Faults:
    """Broken lines of one file, gathered so that all are reported at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: dict[int, str] = {}

    def add(self, line: int, fault: str) -> None:
        """Note what is wrong with a line, counted from 1."""
        self._lines[line] = fault

    def check(self, error: Callable[[str], Exception] = ScoringError) -> None:
        """Raise an error that shows the first broken lines and numbers the others."""
        if not self._lines:
            return
        numbers = list(self._lines)
        shown = [f"{self._path}:{number}: {self._lines[number]}" for number in numbers[:NUM_FAULTS_SHOWN]]
        beyond = numbers[NUM_FAULTS_SHOWN:]
        rest = [f"and lines {listed([str(number) for number in beyond], limit=20)}"] if beyond else []
        count = f"{len(numbers)} line{'s' if len(numbers) > 1 else ''}"
        head = f"{self._path}: {count} cannot be used, so nothing was scored. Correct what is wrong:"
        raise error("\n".join([head, *shown, *rest]))
