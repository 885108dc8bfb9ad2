"""Everything a user can get wrong, as exceptions whose message says what, where and what to do.

AsrError
├── ConfigError       a YAML file or a key=value override
├── AudioError        a sound file
├── ManifestError     a manifest or a corpus
├── VocabularyError   a tokens.txt, a tokenizer.json, or text they cannot spell
├── CheckpointError   a model directory or a training checkpoint
├── ScoringError      references and hypotheses
├── TranscriptError   a transcript file that is to be read back
└── MissingExtraError a part of the package that was not installed

The command prints the message without a traceback (exit status 1 for a bad input among others, 2 for wrong use);
any other exception is our own fault and shows its traceback (exit status 3).
"""

from dataclasses import dataclass


class AsrError(Exception):
    """What a user can correct: the message says what is wrong, where, and what to do.

    All errors that the package raises on purpose are of this class; any other exception is a bug.
    """


class ConfigError(AsrError):
    """A configuration file or override that cannot be used."""


class AudioError(AsrError):
    """A sound file that cannot be read or holds no usable sound."""


@dataclass(frozen=True, slots=True)
class Damage:
    """A stretch of a recording that could not be read, in seconds of the file; None for an end that is not known."""

    start: float
    end: float | None
    reason: str


class ManifestError(AsrError):
    """A manifest or corpus with broken lines."""


class VocabularyError(AsrError):
    """Text that the vocabulary cannot spell, or a broken vocabulary file."""


class CheckpointError(AsrError):
    """A model directory or checkpoint that is incomplete, foreign or damaged."""


class ScoringError(AsrError):
    """References and hypotheses that cannot be paired or scored."""


class TranscriptError(AsrError):
    """A transcript file that does not follow its format."""


class MissingExtraError(AsrError):
    """An optional dependency that this call needs is not installed."""


def counted(count: int, what: str) -> str:
    """Word a number of things: '1 file', '2 files'."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def listed(items: list[str], *, limit: int = 5) -> str:
    """Join the first few items for a message and count the rest: 'a, b, c and 7 more'."""
    shown = ", ".join(items[:limit])
    return shown if len(items) <= limit else f"{shown} and {len(items) - limit} more"
