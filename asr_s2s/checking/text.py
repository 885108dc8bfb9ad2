"""What is wrong with the texts: nothing said, odd characters, and more or less text than fits into the time."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import unescape

import numpy as np

from asr_s2s.audio import Levels
from asr_s2s.checking.finding import CERTAIN, DOUBTFUL, NOTABLE, CheckedUtterance, Finding
from asr_s2s.errors import counted, listed
from asr_s2s.text import described

RARE = 0.005  # of the utterances of a set: what fewer have is rare
INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})  # control, format, private, unassigned, separators
MARKUP = frozenset("<>[]{}|\\^~_=@#*+/")  # tags, and remains of tables and formulas
TAGS = re.compile(r"</?[^\W\d][^<>]*>|\[[^\]]*\]|\{[^}]*\}|&(?:#\d+|#x[\da-f]+|[a-z]+\d*);", re.IGNORECASE)
WORD = re.compile(r"[^\W\d_]+")
ALPHABETS = ("LATIN", "CYRILLIC", "GREEK")  # whose letters look alike
LIKE_LATIN = frozenset("аеоорсухіјѕһԁԛԝАВЕЅІЈКМНОРСТУХ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο")
SPOKEN_DIGIT = 4  # characters: "7" is said as "seven"
FASTEST = 50.0  # characters a second: nobody says as many; the fastest of 11,000 clips of eight corpora has 28
FEW = 20  # utterances below which a set tells nothing about its pace
OUTLIER = 4.0  # robust deviations: of 10,137 clips of eight corpora 0.6 % lie beyond
LEAST_PAUSE = 1.0  # seconds more than expected; single letters and abbreviations take longer than their length tells
LEAST_SPREAD = 0.1  # of a logarithm: sets with a more even pace than 10 % are not judged more strictly


def text_faults(checked: Sequence[CheckedUtterance]) -> Iterator[tuple[int, Finding]]:
    """Find empty texts beside texts, markup, words of two alphabets, and characters that are invisible or rare.

    What is rare is rare in its set, in small letters or capitals; the others are found in sets of any size.
    """
    told = [index for index, item in enumerate(checked) if item.utterance.text is not None]
    counts = Counter(character for index in told for character in set(checked[index].text.lower()))
    odd = {character for character, count in counts.items() if _is_odd(character, share=count / len(told))}
    for index in told:
        text = checked[index].text
        if not text.strip():
            yield index, Finding("empty text", "the text is empty", DOUBTFUL)
            continue
        known = set()
        if tags := [tag for tag in dict.fromkeys(TAGS.findall(text)) if tag[0] != "&" or unescape(tag) != tag]:
            known |= set("".join(tags).lower())
            yield index, Finding("markup", f"{listed(tags)}: write what is said alone", DOUBTFUL)
        if mixed := mixed_words(text):
            known |= set("".join(mixed).lower())
            yield index, Finding("mixed alphabets", listed([_shown(word) for word in mixed]), DOUBTFUL)
        if found := sorted((odd & set(text.lower())) - known):
            shown = ", ".join(f"{described(character)} in {counted(counts[character], 'text')}" for character in found)
            invisible = any(unicodedata.category(character) in INVISIBLE for character in found)
            yield index, Finding("odd characters", shown, DOUBTFUL if invisible else NOTABLE)


def mixed_words(text: str) -> list[str]:
    """List the words with letters of two alphabets, and in Latin text those whose letters only look Latin."""
    alphabets = {word: {_alphabet(letter) for letter in word} & set(ALPHABETS) for word in WORD.findall(text)}
    counts = Counter(_alphabet(letter) for letter in text)
    foreign = {letter for letter in text if _alphabet(letter) in ALPHABETS[1:]}
    disguised = foreign <= LIKE_LATIN and counts["LATIN"] > counts["CYRILLIC"] + counts["GREEK"]
    return [word for word, found in alphabets.items() if len(found) > 1 or (disguised and found - {"LATIN"})]


def _alphabet(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]


def _shown(word: str) -> str:
    """Name the letters of a word that are not of its commonest alphabet."""
    (commonest, _), *_ = Counter(map(_alphabet, word)).most_common()
    usual = "LATIN" if len(set(map(_alphabet, word))) == 1 else commonest
    strange = dict.fromkeys(letter for letter in word if _alphabet(letter) != usual)
    return f"'{word}' with {listed([described(letter) for letter in strange])}"


def _is_odd(character: str, *, share: float) -> bool:
    if unicodedata.category(character) in INVISIBLE or character == "\ufffd":
        return True
    return share <= RARE and (not character.isascii() or character in MARKUP)


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a set takes for a text: a pause and a time for each character, by least absolute deviations."""

    pause: float  # seconds
    per_character: float  # seconds
    center: float  # of log(seconds / expected seconds)
    spread: float

    def expected(self, characters: int) -> float:
        """Return the seconds that a text of so many characters takes in this set."""
        return max(self.pause + self.per_character * characters, 0.1)

    def deviations(self, characters: int, seconds: float) -> float:
        """Return how far a recording lies from the others, in robust deviations; above 0: it is slow."""
        return float((np.log(seconds / self.expected(characters)) - self.center) / self.spread)


def said_length(text: str) -> int:
    """Count the letters of a text as it is said, roughly."""
    return sum(SPOKEN_DIGIT if character.isdigit() else character.isalnum() for character in text)


def pace_of(characters: Sequence[int], seconds: Sequence[float]) -> Pace:
    """Fit the pace of a set; wrong texts, as long as they are not most, do not move it."""
    design = np.stack([np.ones(len(characters)), np.asarray(characters, float)], axis=1)
    target, weights = np.asarray(seconds, float), np.ones(len(characters))
    for _ in range(30):  # iteratively reweighted least squares: 30 rounds come within 1 % of least absolute deviations
        root = np.sqrt(weights)
        solution = np.linalg.lstsq(design * root[:, None], target * root, rcond=None)[0]
        weights = 1 / np.maximum(np.abs(target - design @ solution), 0.01)
    logs = np.log(target / np.maximum(design @ solution, 0.1))
    center = float(np.median(logs))
    spread = 1.4826 * float(np.median(np.abs(logs - center)))  # a normal distribution's deviation from its median one
    return Pace(float(solution[0]), float(solution[1]), center, max(spread, LEAST_SPREAD))


def pace_faults(checked: Sequence[CheckedUtterance]) -> Iterator[tuple[int, Finding]]:
    """Find recordings much longer or shorter than their set takes for such a text."""
    judged = [
        (index, said_length(item.text), item.sound.seconds)
        for index, item in enumerate(checked)
        if isinstance(item.sound, Levels) and said_length(item.text) and item.sound.seconds
    ]
    pace = pace_of([each[1] for each in judged], [each[2] for each in judged]) if len(judged) >= FEW else None
    for index, characters, seconds in judged:
        if characters > FASTEST * seconds:
            told = f"{characters} characters in {seconds:.2f} s: faster than speech"
            yield index, Finding("text too long", told, CERTAIN)
        elif pace and abs(deviations := pace.deviations(characters, seconds)) > OUTLIER:
            expected = pace.expected(characters)
            typical = f"for {seconds:.1f} s (typical: {expected:.1f} s)"
            if deviations < 0:
                yield index, Finding("text too long", f"too much text {typical}", -deviations)
            elif seconds > expected + LEAST_PAUSE:
                yield index, Finding("text too short", f"too little text {typical}", deviations)
