"""What a model learned and what it forgot: the one it started from and the new one read the same recordings."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

from asr_s2s.data import SpeechDataset
from asr_s2s.manifest import Utterance
from asr_s2s.model_store import SpeechSystem
from asr_s2s.scoring import ErrorRate, word_errors
from asr_s2s.scoring.paired import paired_difference
from asr_s2s.text.normalizers import normalizer
from asr_s2s.training.evaluate import evaluate
from asr_s2s.training.run import Run

NORMALIZER = "basic"  # case and punctuation count for nothing, in any language
CHANCE = 0.05  # a probability above which a difference says nothing


@dataclass(frozen=True)
class Comparison:
    """Word errors of two models on one set, as written and normalised.

    low, high, p: of the difference of the normalised rates, None where there are too few utterances to tell
    """

    name: str
    utterances: int
    raw_before: ErrorRate
    raw_after: ErrorRate
    before: ErrorRate
    after: ErrorRate
    low: float | None
    high: float | None
    p: float | None

    @property
    def verdict(self) -> str:
        """Say whether the new model is better, in a word or a few."""
        if self.p is None or self.p > CHANCE:
            return "no difference beyond chance"
        return "better" if self.after.errors < self.before.errors else "worse"

    @property
    def summary(self) -> str:
        """Say it in a line."""
        sure = "" if self.p is None else f" (difference {self.low:+.1%} to {self.high:+.1%}, p = {self.p:.3f})"
        return (
            f"{self.name}, {self.utterances} utterances: WER {_percent(self.before)} before, {_percent(self.after)} "
            f"after{sure}: {self.verdict}; as written {_percent(self.raw_before)} and {_percent(self.raw_after)}"
        )


def compare_models(run: Run, before: SpeechSystem, after: SpeechSystem) -> tuple[Comparison, ...]:
    """Compare two models on the held-out recordings and on other speech, where there are any."""
    sets = {"held-out recordings": run.material.test, "other speech": run.material.general}
    return tuple(
        _compared(name, utterances, _read(run, before, utterances), _read(run, after, utterances))
        for name, utterances in sets.items()
        if utterances
    )


def _compared(name: str, utterances: Sequence[Utterance], first: dict[str, str], second: dict[str, str]) -> Comparison:
    apply = normalizer(NORMALIZER).apply
    texts = {one.id: one.text or "" for one in utterances}
    plain = [
        [word_errors([apply(text)], [apply(read[key])]) for key, text in texts.items()] for read in (first, second)
    ]
    found = paired_difference(
        [rate.errors for rate in plain[0]],
        [rate.errors for rate in plain[1]],
        [rate.reference_length for rate in plain[0]],
    )
    low, high, p = found or (None, None, None)
    return Comparison(
        name=name,
        utterances=len(texts),
        raw_before=word_errors(list(texts.values()), [first[key] for key in texts]),
        raw_after=word_errors(list(texts.values()), [second[key] for key in texts]),
        before=reduce(add, plain[0]),
        after=reduce(add, plain[1]),
        low=low,
        high=high,
        p=p,
    )


def _read(run: Run, system: SpeechSystem, utterances: Sequence[Utterance]) -> dict[str, str]:
    """Give what a model reads in each utterance, by its id, with the search of the model that comes out."""
    system.model.to(run.device)
    dataset = SpeechDataset(utterances, system.front_end, vocabulary=system.vocabulary)
    evaluation = evaluate(
        system,
        dataset,
        batch_seconds=run.config.data.batch_seconds,
        losses=run.config.losses,
        search=run.system.config.search,
        device=run.device,
    )
    return {reading.id: reading.hypothesis for reading in evaluation.readings}


def _percent(rate: ErrorRate) -> str:
    return "n/a" if rate.rate is None else f"{rate.rate:.1%}"
