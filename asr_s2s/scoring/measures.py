"""What is measured on each pair of texts, with `+`."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from asr_s2s.scoring.error_rate import ErrorRate


@dataclass(frozen=True, slots=True)
class Measures:
    """Errors in words, in characters, and the sentences that have any; sums add all counts."""

    words: ErrorRate = field(default_factory=ErrorRate)
    characters: ErrorRate = field(default_factory=ErrorRate)
    sentences: int = 0
    wrong_sentences: int = 0

    def __add__(self, other: "Measures") -> "Measures":
        return Measures(
            self.words + other.words,
            self.characters + other.characters,
            self.sentences + other.sentences,
            self.wrong_sentences + other.wrong_sentences,
        )

    @property
    def sentence_error_rate(self) -> float | None:
        """Divide the sentences with a word error by all; None where there are no sentences."""
        return self.wrong_sentences / self.sentences if self.sentences else None


def summed(words: NDArray[np.int32], characters: NDArray[np.int32]) -> Measures:
    """Add up utterances.

    words, characters: (utterance, 4): substitutions, deletions, insertions, reference length
    """
    return Measures(
        ErrorRate(*words.sum(axis=0, dtype=np.int64).tolist()),
        ErrorRate(*characters.sum(axis=0, dtype=np.int64).tolist()),
        sentences=len(words),
        wrong_sentences=int(words[:, :3].any(axis=1).sum()),
    )
