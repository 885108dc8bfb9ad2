"""How often the words that matter were recognised: counted in each utterance, wherever they stand in it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from asr_s2s.errors import ScoringError
from asr_s2s.inputs import read_text
from asr_s2s.scoring.align import words_of
from asr_s2s.scoring.report import Keyword
from asr_s2s.text.normalizers import Normalizer

Phrase = tuple[str, ...]


class KeywordCounts:
    """Counts of each keyword or phrase; all are normalised like the texts.

    Raises ScoringError for a keyword that has no words after normalising.
    """

    def __init__(self, keywords: Sequence[str], normalizer: Normalizer) -> None:
        self._written: dict[Phrase, str] = {}
        for written in keywords:
            phrase = tuple(words_of(normalizer.apply(written)))
            if not phrase:
                raise ScoringError(f"the keyword '{written}' has no words after normalising. Leave it out.")
            self._written.setdefault(phrase, written)
        self._by_first: dict[str, list[Phrase]] = {}
        for phrase in self._written:
            self._by_first.setdefault(phrase[0], []).append(phrase)
        self._said: Counter[Phrase] = Counter()
        self._recognised: Counter[Phrase] = Counter()
        self._hits: Counter[Phrase] = Counter()

    def add(self, reference: list[str], hypothesis: list[str]) -> None:
        """Count in one pair; a keyword said twice and recognised once is one hit of two."""
        said, recognised = Counter(self._found(reference)), Counter(self._found(hypothesis))
        self._said.update(said)
        self._recognised.update(recognised)
        self._hits.update(said & recognised)

    def result(self) -> tuple[Keyword, ...]:
        """Return the counts in the order of the list."""
        return tuple(
            Keyword(written, self._said[phrase], self._recognised[phrase], self._hits[phrase])
            for phrase, written in self._written.items()
        )

    def _found(self, words: list[str]) -> Iterable[Phrase]:
        for at, word in enumerate(words):
            for phrase in self._by_first.get(word, ()):
                if tuple(words[at : at + len(phrase)]) == phrase:
                    yield phrase


def read_keywords(path: Path) -> tuple[str, ...]:
    """Read a keyword or a phrase a line; blank lines and those that begin with # are passed over."""
    text = read_text(path, error=ScoringError, advice="Name a file with a keyword a line.")
    return tuple(line for part in text.splitlines() if (line := part.strip()) and not line.startswith("#"))
