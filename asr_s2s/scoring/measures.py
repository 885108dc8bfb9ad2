"""What is measured on each pair of texts, with `+`."""

from dataclasses import dataclass, field

from asr_s2s.scoring.align import characters_of, count_errors, words_of
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


def measure(reference: str, hypothesis: str) -> Measures:
    """Measure one pair of texts as they are, save for white space."""
    words = count_errors(words_of(reference), words_of(hypothesis))
    characters = count_errors(characters_of(reference), characters_of(hypothesis))
    return Measures(words, characters, sentences=1, wrong_sentences=int(words.errors > 0))
