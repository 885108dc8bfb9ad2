"""A development set taken from the training data, so that it tells how the model does on what it has not seen."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from asr_s2s.data.seeds import stable_seed
from asr_s2s.errors import ManifestError
from asr_s2s.manifest import Utterance
from asr_s2s.text import plain

SEVERAL_SPEAKERS = 4  # with fewer, holding one out takes too much of the data away


@dataclass(frozen=True)
class Split:
    """The two sides, each in the order it was given in."""

    train: list[Utterance]
    dev: list[Utterance]

    @property
    def shared_texts(self) -> int:
        """How many development utterances have a text that is trained on: such texts may be known by heart."""
        known = {_plain(item) for item in self.train}
        return sum(_plain(item) in known for item in self.dev)

    @property
    def shared_speakers(self) -> int:
        """How many speakers stand on both sides."""
        sides = ({item.speaker for item in side if item.speaker} for side in (self.train, self.dev))
        return len(set.intersection(*sides))


def split_dev(utterances: Sequence[Utterance], *, share: float, seed: int = 0, by_speaker: bool | None = None) -> Split:
    """Take about a share of the utterances as development set, at least one and never all.

    by_speaker: whole speakers, so that none is heard in training; None: where there are several. Otherwise utterances
    of one text stay together if most texts are said once, so that sentences are not known by heart.
    The choice follows from seed and the names of speakers, texts or ids: data added later moves little.

    Raises ManifestError if there is nothing to divide.
    """
    speakers = {item.speaker for item in utterances if item.speaker}
    if by_speaker is None:
        by_speaker = len(speakers) >= SEVERAL_SPEAKERS
    if by_speaker and len(speakers) < 2:
        raise ManifestError(
            f"{len(speakers)} known speakers cannot be divided by speaker. Add 'speaker' to the manifest, or name a "
            "development set."
        )
    if by_speaker:
        groups = _grouped(utterances, lambda item: item.speaker or "")
        groups.pop("", None)  # who speaks there is unknown, so only training can hold them
    else:
        groups = _grouped(utterances, _plain)
        if len(groups) < max(2, len(utterances) / 2):  # commands, digits: every text is said many times
            groups = _grouped(utterances, lambda item: item.id)
    chosen = _choose(groups, wanted=share * len(utterances), limit=len(utterances) - 1, seed=seed)
    split = Split(
        train=[item for item in utterances if item.id not in chosen],
        dev=[item for item in utterances if item.id in chosen],
    )
    if not split.train or not split.dev:
        raise ManifestError(
            f"{len(utterances)} utterances cannot be divided into a training and a development set. Add more, or name "
            "a development set."
        )
    return split


def _choose(groups: dict[str, list[str]], *, wanted: float, limit: int, seed: int) -> set[str]:
    """Take whole groups in a drawn order while they bring the count nearer to what is wanted; at least one.

    Groups of more than twice what is wanted come last, the smallest of them first.
    """
    chosen: set[str] = set()
    for name in sorted(groups, key=lambda name: (max(len(groups[name]), 2 * wanted), stable_seed(seed, name))):
        more = len(chosen) + len(groups[name])
        nearer = abs(more - wanted) < abs(len(chosen) - wanted)
        if more <= limit and (nearer or not chosen):
            chosen.update(groups[name])
    return chosen


def _grouped(utterances: Sequence[Utterance], name_of: Callable[[Utterance], str]) -> dict[str, list[str]]:
    groups = defaultdict(list)
    for item in utterances:
        groups[name_of(item)].append(item.id)
    return dict(groups)


def _plain(utterance: Utterance) -> str:
    return plain(utterance.text or "")
