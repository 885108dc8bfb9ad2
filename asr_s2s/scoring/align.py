"""Which word of the reference became which word of the hypothesis, at the least cost.

By default every error costs 1 (Levenshtein 1966) and rapidfuzz finds one of the cheapest alignments; sclite's costs and
its choice among equals are to be had too.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, cast

from rapidfuzz.distance import Levenshtein

from asr_s2s.errors import ScoringError
from asr_s2s.scoring.error_rate import ErrorRate, total
from asr_s2s.scoring.sclite_costs import Edit, sclite_edits

Kind = Literal["correct", "substitution", "deletion", "insertion"]
KINDS: dict[str, Kind] = {"replace": "substitution", "delete": "deletion", "insert": "insertion"}  # rapidfuzz's names
Edits = Callable[[Sequence[str], Sequence[str]], list[Edit]]


class Step(NamedTuple):
    """One column of an alignment; a side that has nothing there is None."""

    kind: Kind
    reference: str | None
    hypothesis: str | None


@dataclass(frozen=True, slots=True)
class Alignment:
    """Reference and hypothesis side by side: reading one side of the steps gives that sequence back."""

    steps: tuple[Step, ...]

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    @property
    def error_rate(self) -> ErrorRate:
        """Count the steps by their kind."""
        kinds = [step.kind for step in self.steps]
        return ErrorRate(
            kinds.count("substitution"),
            kinds.count("deletion"),
            kinds.count("insertion"),
            len(kinds) - kinds.count("insertion"),
        )


def unit_edits(reference: Sequence[str], hypothesis: Sequence[str]) -> list[Edit]:
    """List the edits of an alignment with the fewest errors."""
    return cast("list[Edit]", Levenshtein.editops(reference, hypothesis).as_list())


COSTS: dict[str, Edits] = {"unit": unit_edits, "sclite": sclite_edits}


def align(reference: Sequence[str], hypothesis: Sequence[str], *, edits: Edits = unit_edits) -> Alignment:
    """Align two sequences of words, or two texts character by character, at the least cost."""
    return written_out(reference, hypothesis, edits(reference, hypothesis))


def written_out(reference: Sequence[str], hypothesis: Sequence[str], edits: Sequence[Edit]) -> Alignment:
    """Write an alignment out from its edits."""
    steps: list[Step] = []
    done = 0  # position in the reference up to which all is aligned
    shift = 0  # position in the hypothesis minus position in the reference
    for tag, until, place in edits:
        steps.extend(Step("correct", reference[at], hypothesis[at + shift]) for at in range(done, until))
        step = Step(
            KINDS[tag],
            None if tag == "insert" else reference[until],
            None if tag == "delete" else hypothesis[place],
        )
        steps.append(step)
        done = until + (tag != "insert")
        shift += (tag == "insert") - (tag == "delete")
    steps.extend(Step("correct", reference[at], hypothesis[at + shift]) for at in range(done, len(reference)))
    return Alignment(tuple(steps))


def count_errors(reference: Sequence[str], hypothesis: Sequence[str], *, edits: Edits = unit_edits) -> ErrorRate:
    """Count the errors of the alignment that align() finds, without writing it out."""
    if reference == hypothesis:
        return ErrorRate(reference_length=len(reference))
    return ErrorRate(*edit_counts(edits(reference, hypothesis), len(reference), len(hypothesis)))


def edit_counts(edits: Sequence[Edit], reference_length: int, hypothesis_length: int) -> tuple[int, int, int, int]:
    """Count substitutions, deletions, insertions and the reference's pieces."""
    insertions = 0
    for tag, _, _ in edits:  # several times as fast as sum() or count()
        if tag == "insert":
            insertions += 1
    # The lengths settle deletions minus insertions; only one of the two has to be counted.
    deletions = reference_length - hypothesis_length + insertions
    return len(edits) - insertions - deletions, deletions, insertions, reference_length


def words_of(text: str) -> list[str]:
    """Cut a text at its white space."""
    return text.split()


def characters_of(text: str) -> str:
    """Return the characters that are scored: one space between words counts as a character, as in jiwer."""
    return " ".join(text.split())


def word_errors(references: Sequence[str], hypotheses: Sequence[str]) -> ErrorRate:
    """Count the word errors of all pairs; the texts are compared as they are, save for white space.

    Raises ScoringError when there are not as many hypotheses as references.
    """
    check_counts(references, hypotheses)
    pairs = zip(references, hypotheses, strict=True)
    return total(count_errors(words_of(reference), words_of(hypothesis)) for reference, hypothesis in pairs)


def character_errors(references: Sequence[str], hypotheses: Sequence[str]) -> ErrorRate:
    """Count the character errors of all pairs, with one space between words counted as a character.

    Raises ScoringError when there are not as many hypotheses as references.
    """
    check_counts(references, hypotheses)
    pairs = zip(references, hypotheses, strict=True)
    return total(count_errors(characters_of(reference), characters_of(hypothesis)) for reference, hypothesis in pairs)


def check_counts(references: Sequence[str], hypotheses: Sequence[str]) -> None:
    """Refuse what cannot be paired by position: different counts, or one text given as if it were a list."""
    if isinstance(references, str) or isinstance(hypotheses, str):
        raise ScoringError("One text was given where a list of texts is needed. Put it in a list: [text].")
    if len(references) != len(hypotheses):
        raise ScoringError(
            f"There are {len(references)} references and {len(hypotheses)} hypotheses, so they cannot be paired by "
            "position. Give as many of each, or pair them by id: two mappings from id to text."
        )
