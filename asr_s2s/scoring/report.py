"""The result of a comparison, computed once; the text and the JSON are views of it."""

import heapq
from collections import Counter, defaultdict
from dataclasses import dataclass

from asr_s2s.errors import ScoringError, listed
from asr_s2s.scoring.align import Alignment, align, words_of
from asr_s2s.scoring.error_rate import ErrorRate
from asr_s2s.scoring.measures import Measures, measure
from asr_s2s.scoring.pairing import Pair, Pairing
from asr_s2s.text.normalizers import Normalizer


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often a word became another; one side is None for deleted and for inserted words."""

    reference: str | None
    hypothesis: str | None
    count: int


@dataclass(frozen=True, slots=True)
class ScoredUtterance:
    """One utterance's normalised words side by side."""

    id: str
    words: ErrorRate
    alignment: Alignment


@dataclass(frozen=True, slots=True)
class Group:
    """The measures of the utterances that share a value of the field grouped by."""

    value: str
    raw: Measures
    normalised: Measures


@dataclass(frozen=True, slots=True)
class Report:
    """Raw and normalised error rates of one hypothesis against one reference, with what lies behind them.

    pairing: the texts' names, the way they were paired, and the ids that are missing, extra or doubled
    empty_references: ids whose reference has no words; what is recognised there are insertions
    emptied_references: ids whose reference has words, but none left after normalising
    confusions, deletions, insertions: of normalised words, the commonest first
    worst: utterances with the most normalised word errors, the worst first
    """

    pairing: Pairing
    normalizer: str
    normalizer_version: str
    raw: Measures
    normalised: Measures
    empty_references: tuple[str, ...]
    emptied_references: tuple[str, ...]
    confusions: tuple[Confusion, ...]
    deletions: tuple[Confusion, ...]
    insertions: tuple[Confusion, ...]
    worst: tuple[ScoredUtterance, ...]
    group_by: str | None
    groups: tuple[Group, ...]


def make_report(
    pairing: Pairing, normalizer: Normalizer, *, group_by: str | None = None, num_worst: int = 20
) -> Report:
    """Score every pair; a missing hypothesis counts as an empty one, so that its words are deletions.

    Raises ScoringError when no reference has the field to group by.
    """
    if group_by is not None:
        _check_group(pairing, group_by)
    tally = _Tally(normalizer, group_by=group_by, num_worst=num_worst)
    for pair in pairing.pairs:
        tally.add(pair)
    return tally.report(pairing)


class _Tally:
    """Running counts: no text stays in memory but those of the worst utterances so far."""

    def __init__(self, normalizer: Normalizer, *, group_by: str | None, num_worst: int) -> None:
        self.normalizer = normalizer
        self.group_by = group_by
        self.num_worst = num_worst
        self.raw: dict[str, Measures] = defaultdict(Measures)  # by the group's value; one group where none is asked for
        self.normalised: dict[str, Measures] = defaultdict(Measures)
        self.empty: list[str] = []
        self.emptied: list[str] = []
        self.edits: Counter[tuple[str | None, str | None]] = Counter()
        # The smallest stays on top; the order of the input settles ties, so that no two entries compare utterances.
        self.worst: list[tuple[int, float, int, ScoredUtterance]] = []
        self.count = 0

    def add(self, pair: Pair) -> None:
        """Count one pair."""
        self.count += 1
        hypothesis = pair.hypothesis or ""
        normalised_reference = self.normalizer.apply(pair.reference)
        # Equal texts are the commonest case, and a normalizer costs more than the alignment.
        equal = hypothesis == pair.reference
        normalised_hypothesis = normalised_reference if equal else self.normalizer.apply(hypothesis)
        normalised = measure(normalised_reference, normalised_hypothesis)
        group = str(pair.labels.get(self.group_by, "")) if self.group_by else ""
        self.raw[group] += measure(pair.reference, hypothesis)
        self.normalised[group] += normalised
        if not pair.reference.strip():
            self.empty.append(pair.id)
        elif not normalised.words.reference_length:
            self.emptied.append(pair.id)
        if normalised.words.errors:
            alignment = align(words_of(normalised_reference), words_of(normalised_hypothesis))
            self.edits.update((step.reference, step.hypothesis) for step in alignment if step.kind != "correct")
            self._keep_worst(ScoredUtterance(pair.id, normalised.words, alignment))

    def _keep_worst(self, scored: ScoredUtterance) -> None:
        rate = scored.words.rate
        key = (scored.words.errors, float("inf") if rate is None else rate, -self.count)
        heapq.heappush(self.worst, (*key, scored))
        if len(self.worst) > self.num_worst:
            heapq.heappop(self.worst)

    def report(self, pairing: Pairing) -> Report:
        """Close the counts."""
        ranked = [
            Confusion(reference, hypothesis, count)
            for (reference, hypothesis), count in sorted(
                self.edits.items(), key=lambda item: (-item[1], item[0][0] or "", item[0][1] or "")
            )
        ]
        grouped = self.raw if self.group_by else ()
        return Report(
            pairing=pairing,
            normalizer=self.normalizer.name,
            normalizer_version=self.normalizer.version,
            raw=sum(self.raw.values(), Measures()),
            normalised=sum(self.normalised.values(), Measures()),
            empty_references=tuple(self.empty),
            emptied_references=tuple(self.emptied),
            confusions=tuple(edit for edit in ranked if edit.reference is not None and edit.hypothesis is not None),
            deletions=tuple(edit for edit in ranked if edit.hypothesis is None),
            insertions=tuple(edit for edit in ranked if edit.reference is None),
            worst=tuple(scored for *_, scored in sorted(self.worst, reverse=True)),
            group_by=self.group_by,
            groups=tuple(Group(value, self.raw[value], self.normalised[value]) for value in sorted(grouped)),
        )


def _check_group(pairing: Pairing, group_by: str) -> None:
    fields = {name for pair in pairing.pairs for name in pair.labels}
    if group_by not in fields:
        known = f"Fields there: {listed(sorted(fields), limit=20)}." if fields else "Its lines have no other fields."
        raise ScoringError(f"{pairing.reference}: no line has the field '{group_by}' to group by. {known}")
