"""Put each hypothesis beside its reference by id, and count what has no partner; only ids and places are held."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from asr_s2s.errors import ScoringError, listed
from asr_s2s.scoring.sources import By, Source, Text

Missing = Literal["deletions", "skip"]


@dataclass(frozen=True, slots=True)
class Pairing:
    """How two sides were paired, and the ids of all that does not fit.

    num_references: all of them, those without a hypothesis too
    missing: references without a hypothesis; counted as deletions, or left out if missing_as says "skip"
    extra: hypotheses without a reference; they are not scored
    doubled_references, doubled_hypotheses: ids that stand more than once; the first text of each is scored
    remarks: what else a reader must know of the two files
    """

    reference: str
    hypothesis: str
    by: By
    num_references: int
    missing: tuple[str, ...]
    missing_as: Missing
    extra: tuple[str, ...]
    doubled_references: tuple[str, ...]
    doubled_hypotheses: tuple[str, ...]
    remarks: tuple[str, ...] = ()

    @property
    def num_scored(self) -> int:
        """Count the references that the rates are made of."""
        return self.num_references - (len(self.missing) if self.missing_as == "skip" else 0)


class References:
    """The references in their order, each id once."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.places: dict[str, int] = {}  # by id: how many ids come before it
        self._numbers = array("q")  # by place: the text's number in the source
        doubled: dict[str, None] = {}
        for number, name in enumerate(source.ids()):
            if self.places.setdefault(name, len(self.places)) == len(self._numbers):
                self._numbers.append(number)
            else:
                doubled[name] = None
        self.doubled = tuple(doubled)
        if not self.places:
            raise ScoringError(f"{source.name}: holds no references. Give a file with at least one.")

    def __iter__(self) -> Iterator[Text]:
        return (self.source[number] for number in self._numbers)

    def __len__(self) -> int:
        return len(self.places)


class Hypotheses:
    """One system's hypotheses at the places of their references.

    Raises ScoringError when the two sides cannot be paired at all.
    """

    def __init__(self, references: References, source: Source) -> None:
        _check_kinds(references.source, source)
        self.source = source
        self._numbers = array("q", [-1]) * len(references)  # by place; -1 where there is none
        extra: dict[str, None] = {}
        doubled: dict[str, None] = {}
        num_found = 0
        for number, name in enumerate(source.ids()):
            place = number if source.by == "line" else references.places.get(name, -1)
            if not 0 <= place < len(self._numbers):
                (doubled if name in extra else extra)[name] = None
            elif self._numbers[place] >= 0:
                doubled[name] = None
            else:
                self._numbers[place] = number
                num_found += 1
        self.extra, self.doubled = tuple(extra), tuple(doubled)
        if source.by == "line":
            _check_lines(references, source, num_found + len(extra))
        elif extra and not num_found:
            _refuse_strangers(references, source, list(extra))

    def __getitem__(self, place: int) -> Text | None:
        """Give the hypothesis of the reference at a place."""
        number = self._numbers[place]
        return self.source[number] if number >= 0 else None

    def pairing(self, references: References, missing_as: Missing) -> Pairing:
        """Sum up."""
        return Pairing(
            reference=references.source.name,
            hypothesis=self.source.name,
            by=references.source.by,
            num_references=len(references),
            missing=tuple(name for name, place in references.places.items() if self._numbers[place] < 0),
            missing_as=missing_as,
            extra=self.extra,
            doubled_references=references.doubled,
            doubled_hypotheses=self.doubled,
            remarks=references.source.remarks + self.source.remarks,
        )


def _check_kinds(reference: Source, hypothesis: Source) -> None:
    kinds = {reference.by, hypothesis.by}
    if len(kinds) == 1 or not kinds & {"line", "time"}:
        return
    if "time" in kinds:
        raise ScoringError(
            f"{hypothesis.name} cannot be paired by time like the others. Give ctm files alone beside an stm reference."
        )
    plain, named = (hypothesis, reference) if hypothesis.by == "line" else (reference, hypothesis)
    raise ScoringError(
        f"{plain.name} holds plain lines without ids, but {named.name} has ids. "
        "Give both with ids (manifest, Kaldi text, trn), or both as plain lines."
    )


def _check_lines(references: References, hypothesis: Source, num_lines: int) -> None:
    if len(references) != num_lines:
        raise ScoringError(
            f"{references.source.name} has {len(references)} lines and {hypothesis.name} has {num_lines}, so "
            "they cannot be paired by line. Give as many lines in both, or files with ids: manifests, Kaldi text, trn."
        )


def _refuse_strangers(references: References, hypothesis: Source, names: list[str]) -> None:
    raise ScoringError(
        f"No id is in both files. {references.source.name} has {len(references)}: {listed(list(references.places))}; "
        f"{hypothesis.name} has {len(names)}: {listed(names)}. Give both the same ids."
    )
