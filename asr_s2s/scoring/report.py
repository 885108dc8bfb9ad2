"""The result of a comparison, computed once; the text, the tables, the JSON and the page are views of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr_s2s.errors import counted
from asr_s2s.scoring.align import Alignment
from asr_s2s.scoring.error_rate import ErrorRate
from asr_s2s.scoring.measures import Measures
from asr_s2s.scoring.pairing import Pairing
from asr_s2s.scoring.provenance import Provenance


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often a word became another; one side is None for deleted and for inserted words."""

    reference: str | None
    hypothesis: str | None
    count: int


@dataclass(frozen=True, slots=True)
class ScoredUtterance:
    """One utterance's normalised words side by side, with the texts that they come from.

    hypothesis: None where it is missing
    labels, hypothesis_labels: the other fields of the two lines; audio_filepath as seen from the working folder
    """

    id: str
    words: ErrorRate
    alignment: Alignment
    reference: str
    hypothesis: str | None
    labels: Mapping[str, Any]
    hypothesis_labels: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Interval:
    """Bounds of a rate, 95 % of the bootstrap's resamples between them; by what was resampled."""

    low: float
    high: float
    by: str


@dataclass(frozen=True, slots=True)
class Group:
    """The measures of the utterances that share a value.

    interval: of the normalised word error rate; None where the group is too small to tell
    """

    value: str
    raw: Measures
    normalised: Measures
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class Grouping:
    """All groups of one field; an utterance with several flags is in several groups of "flags"."""

    field: str
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class RuleEffect:
    """The word errors after a rule of the normalizer and all before it."""

    rule: str
    errors: int
    reference_length: int

    @property
    def rate(self) -> float | None:
        """Divide the errors by the reference's length."""
        return self.errors / self.reference_length if self.reference_length else None


@dataclass(frozen=True, slots=True)
class WordClass:
    """The errors in one kind of normalised words; an inserted word counts by its own kind."""

    name: str
    words: ErrorRate


@dataclass(frozen=True, slots=True)
class FlaggedSegments:
    """The errors in normalised words of all segments that have a flag."""

    flag: str
    words: ErrorRate
    segments: int

    def plus(self, errors: ErrorRate) -> "FlaggedSegments":
        """Add a segment."""
        return FlaggedSegments(self.flag, self.words + errors, self.segments + 1)


@dataclass(frozen=True, slots=True)
class Keyword:
    """How often a keyword was said, was recognised, and both in the same utterance."""

    keyword: str
    said: int
    recognised: int
    hits: int

    @property
    def recall(self) -> float | None:
        """Divide the hits by how often it was said."""
        return self.hits / self.said if self.said else None

    @property
    def precision(self) -> float | None:
        """Divide the hits by how often it was recognised."""
        return self.hits / self.recognised if self.recognised else None


@dataclass(frozen=True, slots=True)
class Translation:
    """BLEU and chrF of the raw texts, 0 to 100, with sacrebleu's signatures."""

    bleu: float
    chrf: float
    signatures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """Errors of every scored utterance, for statistics; one row each.

    places: (utterance,), which of the references each is
    speakers: (utterance,), a number for each speaker; None where no line tells of any
    raw_words, raw_characters, words, characters: (utterance, 4): substitutions, deletions, insertions, reference length
    """

    places: NDArray[np.int64]
    speakers: NDArray[np.int32] | None
    raw_words: NDArray[np.int32]
    raw_characters: NDArray[np.int32]
    words: NDArray[np.int32]
    characters: NDArray[np.int32]


@dataclass(frozen=True, slots=True, repr=False)
class Report:
    """Raw and normalised error rates of one hypothesis against one reference, with what lies behind them.

    system: a short name for the hypothesis
    pairing: the texts' names, the way they were paired, and the ids that are missing, extra or doubled
    intervals: of the normalised word error rate: by utterance, and by speaker where the speakers are known
    rules: what each rule of the normalizer did to the word error rate
    empty_references: ids whose reference has no words; what is recognised there are insertions
    stripped: by the rule of the normalizer that removed vowel signs or accents: ids, of either side
    emptied_references: ids whose reference has words, but none left after normalising
    confusions, deletions, insertions: of normalised words, the commonest first
    confusions_short_by: how much a count may be too low because the rarest kinds were let go; 0 in all but huge files
    translation, speakers: BLEU and chrF, and the errors of cpWER, if they were asked for
    worst: utterances with the most normalised word errors, the worst first
    groupings: one for each field asked for
    flags: the flags of the transcripts as groups of utterances, where any is raised
    flagged_segments: the same by segments, where hypotheses have several; an utterance without is one segment
    utterances: all of them in order, if they were asked for
    """

    system: str
    pairing: Pairing
    normalizer: str
    normalizer_version: str
    costs: str
    raw: Measures
    normalised: Measures
    intervals: tuple[Interval, ...]
    rules: tuple[RuleEffect, ...]
    empty_references: tuple[str, ...]
    emptied_references: tuple[str, ...]
    stripped: Mapping[str, tuple[str, ...]]
    confusions: tuple[Confusion, ...]
    deletions: tuple[Confusion, ...]
    insertions: tuple[Confusion, ...]
    confusions_short_by: int
    word_classes: tuple[WordClass, ...]
    keywords: tuple[Keyword, ...]
    translation: Translation | None
    speakers: ErrorRate | None
    worst: tuple[ScoredUtterance, ...]
    groupings: tuple[Grouping, ...]
    flags: Grouping | None
    flagged_segments: tuple[FlaggedSegments, ...]
    utterances: tuple[ScoredUtterance, ...]
    provenance: Provenance
    counts: Counts

    def __repr__(self) -> str:
        """Show the normalised word error rate and what it was measured on; `asr_s2s.scoring.to_text` shows all."""
        words = self.normalised.words
        rate = "no WER" if words.rate is None else f"WER {100 * words.rate:.2f} %"
        of = f"{counted(words.reference_length, 'word')} in {counted(self.pairing.num_references, 'utterance')}"
        return f"Report({self.system!r}, {rate} of {of})"


@dataclass(frozen=True, slots=True)
class Difference:
    """How two systems differ in normalised word errors, on the utterances that both were scored on.

    points: rate of `second` less that of `first`, as a fraction: below 0 the second is better
    low, high: bounds of 95 % of the bootstrap's resamples, of speakers where several are known, or else of utterances
    p_bootstrap: the share of resamples on the other side of 0, doubled
    p_mapsswe: matched pairs sentence segment word error test, two-sided
    p_sign, p_mcnemar: of the utterances where one has fewer errors, or has none; exact binomial tests
    num_segments: segments that MAPSSWE compared
    """

    first: str
    second: str
    points: float
    low: float
    high: float
    p_bootstrap: float
    p_mapsswe: float
    p_sign: float
    p_mcnemar: float
    num_utterances: int
    num_segments: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """The reports of several systems on the same references, and the difference of every two."""

    reports: tuple[Report, ...]
    differences: tuple[Difference, ...]
