"""How well the model that came out recognises what is held out, and whether better than what the run started from.

Held-out recordings may be of any length, and a user's are recognised by the product, which cuts them; so what
recognises them here is handed in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from asr_s2s.errors import counted, listed
from asr_s2s.manifest import Utterance
from asr_s2s.model_store.directory import SpeechSystem
from asr_s2s.scoring import ErrorRate, word_errors
from asr_s2s.scoring.bootstrap import difference
from asr_s2s.scoring.error_rate import total
from asr_s2s.text.normalizers import normalizer
from asr_s2s.training.run import Run

NORMALIZER = "basic"  # case and punctuation count for nothing, in any language
CHANCE = 0.05  # a probability above which a difference says nothing


class Recognise(Protocol):
    """What a user of a model gets: texts by the utterances' ids, without those that could not be read."""

    def __call__(self, system: SpeechSystem, utterances: Sequence[Utterance], *, device: str) -> Mapping[str, str]:
        """Recognise utterances with a model and its own search."""
        ...


@dataclass(frozen=True)
class Errors:
    """Word errors of one model on one set: as written, and with case and punctuation left out."""

    raw: ErrorRate
    plain: ErrorRate


@dataclass(frozen=True)
class ModelComparison:
    """One set of recordings, recognised by the new model and, if there was one, by the model that it started from.

    utterances: how many are judged; unread: ids of those that could not be read, and are not
    low, high, p: of the difference of the plain rates; None with too few utterances to tell, or no other model
    """

    name: str
    utterances: int
    after: Errors
    before: Errors | None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    unread: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """Return whether the new model is better, in a word or a few; nothing without another one."""
        if self.before is None:
            return ""
        if self.p is None or self.p > CHANCE:
            return "no significant difference"
        return "better" if self.after.plain.errors < self.before.plain.errors else "worse"

    @property
    def summary(self) -> str:
        """Say it in a line."""
        unread = f" ({len(self.unread)} more could not be read: {listed(list(self.unread))})" if self.unread else ""
        start = f"{self.name}, {counted(self.utterances, 'utterance')}{unread}: WER "
        if self.before is None:
            return f"{start}{_percent(self.after.plain)}, as written {_percent(self.after.raw)}"
        sure = "" if self.p is None else f" (difference {self.low:+.1%} to {self.high:+.1%}, p = {self.p:.3f})"
        return (
            f"{start}{_percent(self.before.plain)} before, {_percent(self.after.plain)} after{sure}: {self.verdict}; "
            f"as written {_percent(self.before.raw)} and {_percent(self.after.raw)}"
        )


def compare_models(
    run: Run, before: SpeechSystem | None, after: SpeechSystem, *, recognise: Recognise
) -> tuple[ModelComparison, ...]:
    """Judge a model on the held-out recordings and on other speech, where there are any, beside the one before."""
    sets = {"held-out recordings": run.material.test, "other speech": run.material.general}
    device = str(run.device)
    return tuple(
        compared(
            name,
            {one.id: one.text or "" for one in utterances},
            recognise(after, utterances, device=device),
            before=recognise(before, utterances, device=device) if before else None,
        )
        for name, utterances in sets.items()
        if utterances
    )


def compared(
    name: str, texts: Mapping[str, str], after: Mapping[str, str], *, before: Mapping[str, str] | None
) -> ModelComparison:
    """Compare what two models recognised, by the id of each utterance, with what was said; both on the same ones."""
    read = {key: text for key, text in texts.items() if key in after and (before is None or key in before)}
    unread = tuple(key for key in texts if key not in read)
    errors, of_each = _errors(read, after)
    if before is None:
        return ModelComparison(name, len(read), errors, None, unread=unread)
    errors_before, of_each_before = _errors(read, before)
    found = difference(
        np.array([rate.errors for rate in of_each_before]),
        np.array([rate.errors for rate in of_each]),
        np.array([rate.reference_length for rate in of_each]),
    )
    low, high, p = found or (None, None, None)
    return ModelComparison(name, len(read), errors, errors_before, low, high, p, unread=unread)


def _errors(texts: Mapping[str, str], read: Mapping[str, str]) -> tuple[Errors, list[ErrorRate]]:
    """Count a model's errors, and the plain ones of each utterance."""
    apply = normalizer(NORMALIZER).apply
    plain = [word_errors([apply(text)], [apply(read[key])]) for key, text in texts.items()]
    raw = word_errors(list(texts.values()), [read[key] for key in texts])
    return Errors(raw, total(plain)), plain


def _percent(rate: ErrorRate) -> str:
    return "n/a" if rate.rate is None else f"{rate.rate:.1%}"
