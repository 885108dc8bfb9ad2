"""Which words the errors are in: names, numbers, function words, others; for English.

A name is a word that stands with a capital letter within sentences more often than not; texts that are all capitals, or
all small letters, tell of none.
"""

from collections import Counter
from collections.abc import Iterable
from functools import cache, partial
from itertools import pairwise

from asr_s2s.scoring.error_rate import ErrorRate
from asr_s2s.scoring.ranking import Ranking
from asr_s2s.scoring.report import Confusion, WordClass

NUMBER_WORDS = frozenset(
    word
    for line in (
        "zero oh one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen",
        "seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand",
        "million billion first second third fourth fifth sixth seventh eighth ninth tenth half dozen",
    )
    for word in line.split()
)
FUNCTION_WORDS = frozenset(
    word
    for line in (
        "a an the this that these those my your his her its our their i me you he him she it we us they them who",
        "whom whose which what there here and or but nor so yet if then than because as while when where why how",
        "although though unless until since before after of in on at to from by with without for about against",
        "between into through during above below up down out off over under again not no yes is am are was were be",
        "been being have has had having do does did doing will would shall should can could may might must isn't",
        "aren't wasn't don't doesn't didn't won't can't couldn't i'm you're he's she's it's we're they're i've",
        "i'll i'd that's there's all any both each few more most other some such only own same too very just s t m",
        "re ve ll d",
    )
    for word in line.split()
)
MOSTLY = 0.5
MOST_WORDS = 1_000_000  # a vocabulary that no text has
END_OF_SENTENCE = (".", "!", "?", ":", '."', '!"', '?"')


class WordClasses:
    """Counts of words as they are compared, and of capital letters in the references as they are written."""

    def __init__(self) -> None:
        self._words: Ranking[str] = Ranking(MOST_WORDS)
        self._capitalised: Counter[str] = Counter()
        self._within, self._capitals = 0, 0

    def add(self, written: str, compared: list[str]) -> None:
        """Count a reference: its text, and its words after normalising."""
        self._words.update(compared)
        if written == written.lower():  # the commonest case, and faster than islower()
            return
        words = written.split()
        inside = [
            word for before, word in pairwise(words) if not before.endswith(END_OF_SENTENCE) and word[:1].isalpha()
        ]
        capital = [word for word in inside if word[0].isupper()]
        self._within += len(inside)
        self._capitals += len(capital)
        self._capitalised.update(_plain(word) for word in capital)

    def errors(self, edits: Iterable[Confusion]) -> tuple[WordClass, ...]:
        """Return the errors by class; an inserted word counts by its own class."""
        class_of = cache(partial(_class_of, names=self._names()))
        counts = {name: [0, 0, 0, 0] for name in ("names", "numbers", "function words", "others")}
        for word, count in self._words.counts.items():
            counts[class_of(word)][3] += count
        for edit in edits:
            kind = 2 if edit.reference is None else 1 if edit.hypothesis is None else 0
            counts[class_of(edit.reference or edit.hypothesis or "")][kind] += edit.count
        return tuple(WordClass(name, ErrorRate(*found)) for name, found in counts.items() if any(found))

    def _names(self) -> frozenset[str]:
        if self._capitals > MOSTLY * self._within:  # headlines, or all capitals
            return frozenset()
        counts = self._words.counts
        often = {word for word, count in self._capitalised.items() if count > MOSTLY * counts[word]}
        return frozenset(often - FUNCTION_WORDS)


def _class_of(word: str, *, names: frozenset[str]) -> str:
    lower = word.lower()
    if lower in FUNCTION_WORDS:
        return "function words"
    if lower in NUMBER_WORDS or (not lower.isalpha() and any(character.isdigit() for character in lower)):
        return "numbers"
    return "names" if lower in names or word in names else "others"


def _plain(word: str) -> str:
    return word.lower().removesuffix("'s").removesuffix("’s").strip(".,!?;:\"'“”’()[]")
