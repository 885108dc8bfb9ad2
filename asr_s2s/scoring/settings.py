"""What can be chosen when texts are scored: as keywords of `score`, as options of the command, in a report's JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypedDict, get_args

from asr_s2s.errors import ScoringError
from asr_s2s.scoring.align import Edits, find_costs
from asr_s2s.scoring.keywords import read_keywords
from asr_s2s.scoring.pairing import Missing
from asr_s2s.scoring.sources import SourceFormat
from asr_s2s.text.normalizers import Normalizer
from asr_s2s.text.normalizers import normalizer as find_normalizer

DEFAULT_NORMALIZER = "basic"  # changes no language's words; "whisper-english" is for English alone

Costs = Literal["unit", "sclite"]


class Options(TypedDict, total=False):
    """The keywords of `score`.

    normalizer: a name, or a file of rules
    group_by: fields of the manifest's lines; also duration, speed, snr (in buckets) and flags
    missing: what references without a hypothesis are: "deletions", or "skip" to leave them out
    costs: "unit", or "sclite" for a substitution at 4, a deletion or an insertion at 3
    keywords: words or phrases, or a file with one a line
    bleu: whether to measure BLEU and chrF of the raw texts, which are held for it
    cpwer: whether to measure the word error rate with speakers matched, of stm and SegLST
    source_format: of all files; None tells it from each file
    keep_utterances: whether the report holds every utterance with its alignment
    command: what is noted in the report as having made it
    """

    normalizer: str
    group_by: str | Sequence[str]
    missing: Missing
    costs: Costs
    keywords: Sequence[str] | Path
    bleu: bool
    cpwer: bool
    source_format: SourceFormat | None
    keep_utterances: bool
    command: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Options that were checked, with what they name."""

    normalizer: Normalizer
    group_by: tuple[str, ...]
    missing: Missing
    costs: Costs
    edits: Edits
    keywords: tuple[str, ...]
    bleu: bool
    cpwer: bool
    source_format: SourceFormat | None
    keep_utterances: bool
    command: str

    def noted(self) -> dict[str, object]:
        """Give what the numbers depend on, for the report."""
        return {
            "normalizer": self.normalizer.name,
            "group_by": list(self.group_by),
            "missing": self.missing,
            "costs": self.costs,
            "keywords": list(self.keywords),
            "bleu": self.bleu,
            "cpwer": self.cpwer,
            "source_format": self.source_format,
        }


def settings_of(options: Options) -> Settings:
    """Check options and fill in what is not given. Raises ScoringError, TypeError for a keyword that does not exist."""
    unknown = sorted(options.keys() - Options.__annotations__.keys())
    if unknown:
        raise TypeError(f"there is no keyword '{unknown[0]}'. Known: {', '.join(Options.__annotations__)}.")
    group_by = options.get("group_by", ())
    keywords = options.get("keywords", ())
    missing = options.get("missing", "deletions")
    if missing not in get_args(Missing):
        raise ScoringError(f"missing hypotheses cannot be '{missing}'. Known: {', '.join(get_args(Missing))}.")
    costs = options.get("costs", "unit")
    return Settings(
        normalizer=find_normalizer(options.get("normalizer", DEFAULT_NORMALIZER)),
        group_by=tuple(dict.fromkeys([group_by] if isinstance(group_by, str) else group_by)),
        missing=missing,
        costs=costs,
        edits=find_costs(costs),
        keywords=read_keywords(keywords) if isinstance(keywords, Path) else tuple(keywords),
        bleu=options.get("bleu", False),
        cpwer=options.get("cpwer", False),
        source_format=options.get("source_format"),
        keep_utterances=options.get("keep_utterances", False),
        command=options.get("command", ""),
    )
