"""Error counts as a value: they add by counts, so that a mean of rates cannot happen.

Morris 2004: Morris, Maier and Green, "From WER and RIL to MER and WIL", Interspeech 2004.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from asr_s2s.errors import ScoringError


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """Substitutions, deletions and insertions against a number of reference words or characters.

    Raises ValueError for negative counts, and for more substitutions and deletions than the reference is long.

    >>> ErrorRate(1, 0, 0, 1) + ErrorRate(0, 0, 0, 9)
    ErrorRate(substitutions=1, deletions=0, insertions=0, reference_length=10)
    >>> (ErrorRate(1, 0, 0, 1) + ErrorRate(0, 0, 0, 9)).rate
    0.1
    """

    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0
    reference_length: int = 0

    def __post_init__(self) -> None:
        if min(self.substitutions, self.deletions, self.insertions, self.reference_length) < 0:
            raise ValueError(f"{self} holds a negative count. Count each kind of error from 0.")
        if self.substitutions + self.deletions > self.reference_length:
            raise ValueError(
                f"{self}: {self.substitutions} substitutions and {self.deletions} deletions cannot happen "
                f"in a reference of length {self.reference_length}. Check which side is the reference."
            )

    def __add__(self, other: "ErrorRate") -> "ErrorRate":
        return ErrorRate(
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
            self.reference_length + other.reference_length,
        )

    def __sub__(self, part: "ErrorRate") -> "ErrorRate":
        return ErrorRate(
            self.substitutions - part.substitutions,
            self.deletions - part.deletions,
            self.insertions - part.insertions,
            self.reference_length - part.reference_length,
        )

    @property
    def errors(self) -> int:
        """Count all errors."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def correct(self) -> int:
        """Count the reference pieces that were recognised."""
        return self.reference_length - self.substitutions - self.deletions

    @property
    def hypothesis_length(self) -> int:
        """Count the pieces of the hypothesis."""
        return self.reference_length - self.deletions + self.insertions

    @property
    def rate(self) -> float | None:
        """Divide the errors by the reference's length; above 1 with many insertions, None for an empty reference."""
        return self.errors / self.reference_length if self.reference_length else None

    @property
    def percent(self) -> float:
        """The rate in percent, for tables that must not show 0 where nothing was said.

        Raises ScoringError for an empty reference.
        """
        if self.rate is None:
            raise ScoringError(f"{self.insertions} errors and no words to score against: there is no rate.")
        return 100 * self.rate

    @property
    def match_error_rate(self) -> float | None:
        """Divide the errors by the length of the alignment, MER: at most 1 (Morris 2004, equation 4)."""
        length = self.reference_length + self.insertions
        return self.errors / length if length else None

    @property
    def information_preserved(self) -> float | None:
        """Multiply the shares of both sides that are correct, WIP (Morris 2004, section 3); 0 if nothing was heard."""
        if not self.reference_length:
            return None
        return self.correct / self.reference_length * self.correct / max(self.hypothesis_length, 1)

    @property
    def information_lost(self) -> float | None:
        """Return what WIP lacks to 1, WIL (Morris 2004, equation 6)."""
        return None if self.information_preserved is None else 1 - self.information_preserved


def total(rates: Iterable[ErrorRate]) -> ErrorRate:
    """Add error rates by their counts."""
    return sum(rates, ErrorRate())
