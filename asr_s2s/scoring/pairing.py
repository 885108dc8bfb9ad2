"""Put each hypothesis beside its reference by id, and count what has no partner; ids and places alone are held."""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Literal, TypeGuard

from asr_s2s.errors import ScoringError, listed
from asr_s2s.scoring.sources import By, Text, TextSource

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


class Pairs:
    """The references in their order, each beside the hypotheses of all systems.

    As long as all files name the same ids in the same order, they are read but once. From the first difference on, ids
    and places of the rest are gathered, and the texts are read again by their places.
    """

    def __init__(self, reference: TextSource, hypotheses: Sequence[TextSource]) -> None:
        for hypothesis in hypotheses:
            _check_kinds(reference, hypothesis)
        self.reference = reference
        self.places: dict[str, int] = {}  # of every id: how many come before it
        self.matches = [Match(hypothesis) for hypothesis in hypotheses]
        self._numbers = array("q")  # of the references that are not in step, by place
        self._doubled: dict[str, None] = {}

    def __iter__(self) -> Iterator[tuple[Text, Sequence[Text | None]]]:
        """Return every pair once; what does not fit is known when all are read.

        Raises ScoringError when the sides cannot be paired at all.
        """
        streams: list[Iterator[Text]] = [self.reference.texts(), *(match.source.texts() for match in self.matches)]
        for texts in zip_longest(*streams):
            if not self._in_step(texts):
                yield from self._out_of_step(texts, streams)
                break
            yield texts[0], texts[1:]
        if not self.places:
            raise ScoringError(f"{self.reference.name}: holds no references. Give a file with at least one.")
        for match in self.matches:
            match.check(self.reference, self.places)

    def _in_step(self, texts: Sequence[Text | None]) -> TypeGuard[tuple[Text, ...]]:
        """Return whether all files name the same new id next, and take it up."""
        first = texts[0]
        if first is None or first.id in self.places:
            return False
        for text in texts:
            if text is None or text.id != first.id:
                return False
        self.places[first.id] = len(self.places)
        return True

    def _out_of_step(
        self, texts: Sequence[Text | None], streams: Sequence[Iterator[Text]]
    ) -> Iterator[tuple[Text, Sequence[Text | None]]]:
        done = len(self.places)
        rest = [chain([text] if text else [], stream) for text, stream in zip(texts, streams, strict=True)]
        for number, text in enumerate(rest[0], start=done):
            if self.places.setdefault(text.id, len(self.places)) == done + len(self._numbers):
                self._numbers.append(number)
            else:
                self._doubled[text.id] = None
        for match, stream in zip(self.matches, rest[1:], strict=True):
            match.gather(stream, self.places, done)
        for at, number in enumerate(self._numbers):
            yield self.reference[number], [match.rest(at) for match in self.matches]

    def pairing(self, match: "Match", missing_as: Missing) -> Pairing:
        """Sum up for one system."""
        return Pairing(
            reference=self.reference.name,
            hypothesis=match.source.name,
            by=self.reference.by,
            num_references=len(self.places),
            missing=match.missing(self.places),
            missing_as=missing_as,
            extra=tuple(match.extra),
            doubled_references=tuple(self._doubled),
            doubled_hypotheses=tuple(match.doubled),
            remarks=self.reference.remarks + match.source.remarks,
        )


class Match:
    """Which of one system's hypotheses belong to the references that are not in step."""

    def __init__(self, source: TextSource) -> None:
        self.source = source
        self.extra: dict[str, None] = {}
        self.doubled: dict[str, None] = {}
        self._numbers = array("q")  # by place after the last in step; -1 where there is none
        self._num_lines: int | None = None  # where all are in step: as many as references

    def gather(self, texts: Iterable[Text], places: Mapping[str, int], done: int) -> None:
        """Take up the rest of the hypotheses; done: how many references have theirs."""
        self._numbers = array("q", [-1]) * (len(places) - done)
        self._num_lines = done
        for number, text in enumerate(texts, start=done):
            self._num_lines += 1
            place = number if self.source.by == "line" else places.get(text.id, -1)
            if not 0 <= place < len(places):
                (self.doubled if text.id in self.extra else self.extra)[text.id] = None
            elif place < done or self._numbers[place - done] >= 0:
                self.doubled[text.id] = None
            else:
                self._numbers[place - done] = number

    def rest(self, at: int) -> Text | None:
        """Return the hypothesis of a reference that is not in step, counted from the first of them."""
        number = self._numbers[at]
        return self.source[number] if number >= 0 else None

    def missing(self, places: Mapping[str, int]) -> tuple[str, ...]:
        """List the references without a hypothesis."""
        if -1 not in self._numbers:
            return ()
        done = len(places) - len(self._numbers)
        return tuple(name for name, place in places.items() if place >= done and self._numbers[place - done] < 0)

    def check(self, reference: TextSource, places: Mapping[str, int]) -> None:
        """Refuse lines that cannot be paired by their number, and files that share no id."""
        strangers = self.extra and len(self._numbers) == len(places) and set(self._numbers) == {-1}
        if self.source.by == "line" and self._num_lines not in (None, len(places)):
            _refuse_lines(reference, len(places), self.source, self._num_lines)
        if strangers:
            _refuse_strangers(reference, list(places), self.source, list(self.extra))


def _check_kinds(reference: TextSource, hypothesis: TextSource) -> None:
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


def _refuse_lines(reference: TextSource, num_references: int, hypothesis: TextSource, num_lines: int | None) -> None:
    raise ScoringError(
        f"{reference.name} has {num_references} lines and {hypothesis.name} has {num_lines}, so "
        "they cannot be paired by line. Give as many lines in both, or files with ids (manifests, Kaldi text, trn); "
        "--format text compares each file as one text."
    )


def _refuse_strangers(reference: TextSource, names: list[str], hypothesis: TextSource, others: list[str]) -> None:
    raise ScoringError(
        f"No id is in both files. {reference.name} has {len(names)}: {listed(names)}; "
        f"{hypothesis.name} has {len(others)}: {listed(others)}. Give both the same ids."
    )
