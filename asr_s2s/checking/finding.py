"""What a check says of an utterance: the kind of fault, in words, and how much weight it has among others."""

from dataclasses import dataclass

from asr_s2s.audio import Levels
from asr_s2s.manifest import Utterance

# Weights put the list in order, worst first; those of an utterance add up. A fault that is certain weighs more than
# any outlier; outliers weigh as many robust deviations as they lie away, which for real faults is some 4 to 20.
CERTAIN = 100.0
LEAKED = 80.0  # the same sound in two sets
CONTRADICTED = 60.0  # the same sound with two texts
USELESS = 50.0  # silence
MISLABELLED = 40.0  # by a model, and not by its loss alone
DOUBTFUL = 20.0
NOTABLE = 3.0


@dataclass(frozen=True, slots=True)
class CheckedUtterance:
    """An utterance of a set with what its sound shows, or why it cannot be read.

    manifest: the set's name, the manifest as it was given
    """

    manifest: str
    utterance: Utterance
    sound: Levels | str

    @property
    def text(self) -> str:
        """What is said, empty where the manifest does not tell."""
        return self.utterance.text or ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is suspicious about an utterance."""

    kind: str
    message: str
    weight: float


@dataclass(frozen=True, slots=True)
class Suspect:
    """An utterance with its findings, heaviest first."""

    checked: CheckedUtterance
    findings: tuple[Finding, ...]

    @property
    def weight(self) -> float:
        """How suspicious it is in all."""
        return sum(finding.weight for finding in self.findings)
