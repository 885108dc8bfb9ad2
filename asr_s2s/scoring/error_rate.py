"""Error counts as a value: they add by counts, so that a mean of rates cannot happen."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """Substitutions, deletions and insertions against a number of reference words or characters."""

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

    @property
    def errors(self) -> int:
        """Count all errors."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def correct(self) -> int:
        """Count the reference pieces that were recognised."""
        return self.reference_length - self.substitutions - self.deletions

    @property
    def rate(self) -> float | None:
        """Divide the errors by the reference's length; above 1 with many insertions, None for an empty reference."""
        return self.errors / self.reference_length if self.reference_length else None


def total(rates: Iterable[ErrorRate]) -> ErrorRate:
    """Add error rates by their counts."""
    return sum(rates, ErrorRate())
