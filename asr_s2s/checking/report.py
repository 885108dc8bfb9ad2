"""The findings of a check: what each set is like, what sets share, and the suspicious utterances, worst first."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from asr_s2s.audio import Levels
from asr_s2s.checking.finding import CheckedUtterance, Finding, Suspect
from asr_s2s.checking.sets import Leak, doubled_faults, leaks
from asr_s2s.checking.sound import length_faults, rate_faults, sound_faults
from asr_s2s.checking.text import pace_faults, text_faults

Check = Callable[[Sequence[CheckedUtterance]], Iterator[tuple[int, Finding]]]

EACH_SET: tuple[Check, ...] = (sound_faults, length_faults, rate_faults, text_faults, pace_faults)
ALL_SETS: tuple[Check, ...] = (doubled_faults,)
LENGTHS = (0.0, 1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, float("inf"))  # seconds, the edges of the histogram


@dataclass(frozen=True, slots=True)
class SetSummary:
    """A set in figures; lengths counts the utterances between one edge of LENGTHS and the next."""

    name: str
    utterances: int
    hours: float
    speakers: int
    rates: dict[int, int]
    lengths: tuple[int, ...]


@dataclass(frozen=True)
class CheckReport:
    """All that was found; broken names lines and manifests that could not be read."""

    sets: tuple[SetSummary, ...]
    leaks: tuple[Leak, ...]
    suspects: tuple[Suspect, ...]
    broken: tuple[str, ...]

    @property
    def kinds(self) -> dict[str, int]:
        """Count the utterances of each kind of finding, the most frequent first."""
        counts = Counter(kind for suspect in self.suspects for kind in {each.kind for each in suspect.findings})
        return dict(counts.most_common())


def report_of(
    checked: Sequence[CheckedUtterance], *, broken: Sequence[str] = (), by_model: Iterable[tuple[int, Finding]] = ()
) -> CheckReport:
    """Check utterances whose sound was measured; those of a set stand together.

    by_model: what a model found, by the index of the utterance
    """
    found: dict[int, list[Finding]] = defaultdict(list)
    summaries = []
    start = 0
    for name, group in groupby(checked, key=lambda item: item.manifest):
        members = list(group)
        for check in EACH_SET:
            for index, finding in check(members):
                found[start + index].append(finding)
        summaries.append(_summary(name, members))
        start += len(members)
    for check in ALL_SETS:
        for index, finding in check(checked):
            found[index].append(finding)
    for index, finding in by_model:
        found[index].append(finding)
    suspects = [
        Suspect(checked[index], tuple(sorted(findings, key=lambda finding: -finding.weight)))
        for index, findings in found.items()
    ]
    suspects.sort(key=lambda suspect: (-suspect.weight, suspect.checked.manifest, suspect.checked.utterance.id))
    return CheckReport(tuple(summaries), tuple(leaks(checked)), tuple(suspects), tuple(broken))


def _summary(name: str, checked: Sequence[CheckedUtterance]) -> SetSummary:
    sounds = [item.sound for item in checked if isinstance(item.sound, Levels)]
    return SetSummary(
        name=name,
        utterances=len(checked),
        hours=sum(sound.seconds for sound in sounds) / 3600,
        speakers=len({item.utterance.speaker for item in checked if item.utterance.speaker}),
        rates=dict(Counter(sound.sample_rate for sound in sounds).most_common()),
        lengths=tuple(sum(low <= sound.seconds < high for sound in sounds) for low, high in pairwise(LENGTHS)),
    )
