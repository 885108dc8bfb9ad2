"""What a search gives back: the tokens of an utterance, how sure the model was of them, and what looks wrong."""

from dataclasses import dataclass
from typing import Literal

FlagName = Literal["loop", "truncated", "low_coverage", "no_speech", "low_confidence"]


@dataclass(frozen=True, slots=True)
class Flag:
    """A reason to doubt a hypothesis, with the value that was measured."""

    name: FlagName
    value: float


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """The best token sequence of one utterance, without start and end tokens.

    score is what the search maximised, before any normalisation by length; token_log_probs, ctc_score (log probability
    of the whole sequence) and end_log_prob are the parts that models gave. ended is False where the length bound cut
    the sequence.
    """

    tokens: tuple[int, ...]
    score: float
    token_log_probs: tuple[float, ...]
    ended: bool
    end_log_prob: float | None = None
    ctc_score: float | None = None
    flags: tuple[Flag, ...] = ()
