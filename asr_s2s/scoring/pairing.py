"""Put each hypothesis beside its reference by id, and count what has no partner."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from asr_s2s.errors import ScoringError, listed
from asr_s2s.scoring.sources import Source, Text


@dataclass(frozen=True, slots=True)
class Pair:
    """A reference with its hypothesis; None where the hypothesis is missing."""

    id: str
    reference: str
    hypothesis: str | None
    labels: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Pairing:
    """A pair for each reference, in the references' order, and the ids of all that does not fit.

    extra: hypotheses without a reference; they are not scored
    doubled_references, doubled_hypotheses: ids that stand more than once; the first text of each is scored
    """

    reference: str
    hypothesis: str
    by: Literal["id", "line"]
    pairs: tuple[Pair, ...]
    extra: tuple[str, ...]
    doubled_references: tuple[str, ...]
    doubled_hypotheses: tuple[str, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """List the ids of the references without a hypothesis."""
        return tuple(pair.id for pair in self.pairs if pair.hypothesis is None)


def pair_texts(reference: Source, hypothesis: Source) -> Pairing:
    """Pair two sides by id; plain lines, which have none, by their number when there are as many on both sides.

    Raises ScoringError when the two cannot be paired at all.
    """
    if not reference.texts:
        raise ScoringError(f"{reference.name}: holds no references. Give a file with at least one.")
    if reference.has_ids != hypothesis.has_ids:
        _refuse_half_named(reference, hypothesis)
    if not reference.has_ids:
        _check_lines(reference, hypothesis)
    references, doubled_references = _by_id(reference.texts)
    hypotheses, doubled_hypotheses = _by_id(hypothesis.texts)
    if hypotheses and references.keys().isdisjoint(hypotheses):
        raise ScoringError(
            f"No id is in both files. {reference.name} has {len(references)}: {listed(list(references))}; "
            f"{hypothesis.name} has {len(hypotheses)}: {listed(list(hypotheses))}. Give both the same ids."
        )
    return Pairing(
        reference=reference.name,
        hypothesis=hypothesis.name,
        by="id" if reference.has_ids else "line",
        pairs=tuple(
            Pair(name, text.text, hypotheses[name].text if name in hypotheses else None, text.labels)
            for name, text in references.items()
        ),
        extra=tuple(name for name in hypotheses if name not in references),
        doubled_references=doubled_references,
        doubled_hypotheses=doubled_hypotheses,
    )


def _by_id(texts: tuple[Text, ...]) -> tuple[dict[str, Text], tuple[str, ...]]:
    first: dict[str, Text] = {}
    doubled: dict[str, None] = {}
    for text in texts:
        if text.id in first:
            doubled[text.id] = None
        else:
            first[text.id] = text
    return first, tuple(doubled)


def _check_lines(reference: Source, hypothesis: Source) -> None:
    if len(reference.texts) != len(hypothesis.texts):
        raise ScoringError(
            f"{reference.name} has {len(reference.texts)} lines and {hypothesis.name} has {len(hypothesis.texts)}, so "
            "they cannot be paired by line. Give as many lines in both, or files with ids: manifests, Kaldi text, trn."
        )


def _refuse_half_named(reference: Source, hypothesis: Source) -> None:
    plain, named = (hypothesis, reference) if reference.has_ids else (reference, hypothesis)
    raise ScoringError(
        f"{plain.name} holds plain lines without ids, but {named.name} has ids. "
        "Give both with ids (manifest, Kaldi text, trn), or both as plain lines."
    )
