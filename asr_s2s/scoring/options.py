"""What can be chosen when texts are scored: the only place beside the command line that names an option."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from asr_s2s.errors import ScoringError
from asr_s2s.scoring.align import COSTS, Edits
from asr_s2s.scoring.keywords import read_keywords
from asr_s2s.scoring.pairing import Missing
from asr_s2s.scoring.sources import SourceFormat
from asr_s2s.text.normalizers import Normalizer
from asr_s2s.text.normalizers import normalizer as find_normalizer

Costs = Literal["unit", "sclite"]

NOT_IN_NUMBERS = ("keep_utterances", "command")  # options that no rate depends on


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreOptions:
    """How references and hypotheses are compared.

    normalizer: a name, or a file of rules; "basic" changes no language's words, "whisper-english" is for English alone
    group_by: fields of the manifest's lines; also duration, speed, snr (in buckets) and flags
    missing: how to count references without a hypothesis: "deletions", or "skip" to leave them out
    costs: of an edit: "unit", or "sclite" for a substitution at 4, a deletion or an insertion at 3
    keywords: words or phrases, or a file with one a line
    bleu: measure BLEU and chrF of the raw texts, which are held for it
    cpwer: measure the word error rate with speakers matched, of stm and SegLST
    source_format: of all files; None detects it for each file
    keep_utterances: keep every utterance with its alignment in the report
    command: what the report names as having made it
    Raises ScoringError for a value that an option cannot have.
    """

    normalizer: str = "basic"
    group_by: str | Sequence[str] = ()
    missing: Missing = "deletions"
    costs: Costs = "unit"
    keywords: Sequence[str] | Path = ()
    bleu: bool = False
    cpwer: bool = False
    source_format: SourceFormat | None = None
    keep_utterances: bool = False
    command: str = ""

    def __post_init__(self) -> None:
        for name, known in (("missing", Missing), ("costs", Costs), ("source_format", SourceFormat)):
            value = getattr(self, name)
            if value not in get_args(known) and (name, value) != ("source_format", None):
                raise ScoringError(f"{name} cannot be {value!r}. Known: {', '.join(get_args(known))}.")
        for name in ("bleu", "cpwer", "keep_utterances"):
            if not isinstance(getattr(self, name), bool):
                raise ScoringError(f"{name} must be True or False, not {getattr(self, name)!r}.")
        for name in ("normalizer", "command"):
            if not isinstance(getattr(self, name), str):
                raise ScoringError(f"{name} must be a string, not {getattr(self, name)!r}.")
        for name, alone in (("group_by", str), ("keywords", Path)):
            value = getattr(self, name)
            several = isinstance(value, Sequence) and not isinstance(value, str) and all(map(_is_text, value))
            if not (several or isinstance(value, alone)):
                raise ScoringError(f"{name} must be a list of strings or one {alone.__name__}, not {value!r}.")


def _is_text(value: object) -> bool:
    return isinstance(value, str)


@dataclass(frozen=True, slots=True)
class Settings:
    """Options with what they name: rules read, costs found, lists complete."""

    options: ScoreOptions
    normalizer: Normalizer
    edits: Edits
    group_by: tuple[str, ...]
    keywords: tuple[str, ...]

    def noted(self) -> dict[str, object]:
        """Return what the numbers depend on, for the report."""
        found = asdict(self.options) | {
            "normalizer": self.normalizer.name,
            "group_by": list(self.group_by),
            "keywords": list(self.keywords),
        }
        return {name: value for name, value in found.items() if name not in NOT_IN_NUMBERS}


def settings_of(options: ScoreOptions) -> Settings:
    """Find what options name. Raises ScoringError for rules or keywords that cannot be read."""
    fields, keywords = options.group_by, options.keywords
    return Settings(
        options=options,
        normalizer=find_normalizer(options.normalizer),
        edits=COSTS[options.costs],
        group_by=tuple(dict.fromkeys([fields] if isinstance(fields, str) else fields)),
        keywords=read_keywords(keywords) if isinstance(keywords, Path) else tuple(keywords),
    )
