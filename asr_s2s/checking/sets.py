"""What is wrong between utterances: the same sound twice, and sets that share speakers or sentences."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from asr_s2s.audio import Levels
from asr_s2s.checking.finding import CONTRADICTED, DOUBTFUL, LEAKED, CheckedUtterance, Finding
from asr_s2s.text import plain

SENTENCE_WORDS = 4  # shorter texts, such as "thank you", are said everywhere


@dataclass(frozen=True, slots=True)
class Leak:
    """Speakers or sentences that two sets share.

    utterances: of the second set that have one of them
    """

    kind: str
    first: str
    second: str
    shared: tuple[str, ...]
    utterances: int


def doubled_faults(checked: Sequence[CheckedUtterance]) -> Iterator[tuple[int, Finding]]:
    """Find sound that an earlier utterance of these sets has too, sample by sample; silence is no double."""
    first: dict[str, CheckedUtterance] = {}
    for index, item in enumerate(checked):
        if not isinstance(item.sound, Levels) or item.sound.peak <= -120:
            continue
        other = first.setdefault(item.sound.digest, item)
        if other is item:
            continue
        name = f"'{other.utterance.id}'"
        if other.manifest != item.manifest:
            yield index, Finding("in two sets", f"the same sound as {name} of {other.manifest}", LEAKED)
        elif plain(other.text) != plain(item.text):
            told = f"the same sound as {name}, whose text is '{other.text}'"
            yield index, Finding("doubled", told, CONTRADICTED)
        else:
            yield index, Finding("doubled", f"the same sound and text as {name}", DOUBTFUL)


def leaks(checked: Sequence[CheckedUtterance]) -> list[Leak]:
    """Find what every two sets share."""
    found = []
    for kind, name_of in (("speakers", _speaker), ("sentences", _sentence)):
        shown: dict[str, str] = {}  # a name to how it is written
        counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for item in checked:
            if name := name_of(item):
                counts[item.manifest][name] += 1
                shown.setdefault(name, name if kind == "speakers" else item.text)
        for first, second in combinations(counts, 2):
            shared = [name for name in counts[second] if name in counts[first]]
            if shared:
                utterances = sum(counts[second][name] for name in shared)
                found.append(Leak(kind, first, second, tuple(shown[name] for name in shared), utterances))
    return found


def _speaker(item: CheckedUtterance) -> str | None:
    return item.utterance.speaker


def _sentence(item: CheckedUtterance) -> str | None:
    return plain(item.text) if len(item.text.split()) >= SENTENCE_WORDS else None
