"""From an encoding to token sequences: the searches, and the configuration that picks one."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field, model_validator

from asr_s2s.config import PartConfig
from asr_s2s.errors import ConfigError
from asr_s2s.search.advice import Adviser
from asr_s2s.search.alignment import ctc_token_frames, token_frames
from asr_s2s.search.beam import BeamSearch
from asr_s2s.search.draft import DraftSearch
from asr_s2s.search.flags import FlagThresholds, mean_probability
from asr_s2s.search.fusion import LanguageFusion
from asr_s2s.search.greedy import GreedySearch
from asr_s2s.search.hotwords import Hotwords
from asr_s2s.search.hypothesis import Flag, FlagName, Hypothesis
from asr_s2s.search.protocol import Recognizable, Search
from asr_s2s.search.ranking import Ranking
from asr_s2s.search.rules import LengthBound, TokenRules
from asr_s2s.search.word_ngram import WordFusion, WordScorer

__all__ = [
    "MOST_BEAM",
    "Adviser",
    "BeamSearch",
    "Flag",
    "FlagName",
    "GreedySearch",
    "Hotwords",
    "Hypothesis",
    "LanguageFusion",
    "Recognizable",
    "Search",
    "SearchConfig",
    "TokenRules",
    "WordFusion",
    "WordScorer",
    "ctc_token_frames",
    "mean_probability",
    "token_frames",
]


MOST_BEAM = 100  # with long pieces and a large vocabulary a gigabyte
Factor = Annotated[float, Field(gt=0, le=100)]
Power = Annotated[float, Field(ge=0, le=10)]
Nats = Annotated[float, Field(ge=-1000, le=1000)]  # of a score: what is larger drowns the model
Gain = Annotated[float, Field(ge=0, le=1000)]


class SearchConfig(PartConfig):
    """How hypotheses are found, bounded and doubted."""

    beam: int = Field(default=5, ge=1, le=MOST_BEAM)  # hypotheses per utterance; 1 is greedy
    patience: Factor = 1.0  # an utterance is settled when patience x beam hypotheses have finished
    length_normalization: Power = 1.0  # finished hypotheses compare by score / length to this power
    length_bonus: Nats = 0.0  # added to the score for every token
    draft: bool = False  # with beam 1, read CTC's text at once and go on where the decoder differs, to the same text
    ctc_weight: float = Field(default=0.0, ge=0, le=1)  # share of CTC's prefix scores beside the decoder's
    max_tokens_per_frame: Factor = 2.0  # length bound by encoder frames
    max_length_factor: Factor = 1.5  # length bound by the predicted length, where the model has a length head
    length_margin: int = Field(default=10, ge=0, le=1000)  # added to both bounds
    allow_empty: bool = False  # the end may come first, whatever the vocabulary says: for models that learned silence
    forbid_loops: bool = False  # no token may continue what loop_repeats calls a loop
    loop_repeats: int = Field(default=4, ge=2)  # an n-gram standing so often in a row is flagged as a loop
    max_lost_seconds: float = Field(default=1.0, gt=0)  # more detected speech under no word is flagged as low_coverage
    min_confidence: float = Field(default=0.4, ge=0, le=1)  # a lower mean token probability is flagged
    max_no_speech: float = Field(default=0.6, ge=0, le=1)  # a higher probability of silence is flagged there too
    hotword_bonus: Gain = 2.0  # added to the score for every token of a hot word, as long as it lasts
    language_weight: Gain = 0.3  # of a language model's log probabilities, where one is given
    # of the logistic curve from a word's probability to its confidence; asr-s2s model calibrate fits both
    confidence_slope: float = Field(default=1.0, gt=0, le=1000)
    confidence_offset: Nats = 0.0

    @model_validator(mode="before")
    @classmethod
    def _without_min_coverage(cls, given: Any) -> Any:
        """Read what was written while a share of attention, and not seconds of speech, made the flag."""
        if isinstance(given, dict):
            given = {key: value for key, value in given.items() if key != "min_coverage"}
        return given

    def build(self, model: Recognizable, rules: TokenRules, *, advisers: Sequence[Adviser] = ()) -> Search:
        """Make the search for one model and one vocabulary; with advisers (hot words, say) even 1 is a beam.

        Raises ConfigError if CTC is to be used and the model or the vocabulary has no place for it.
        """
        if self.allow_empty:
            first = tuple(token for token in rules.suppressed_first if token != rules.end_token)
            rules = replace(rules, suppressed_first=first)
        bound = LengthBound(
            tokens_per_frame=self.max_tokens_per_frame, length_factor=self.max_length_factor, margin=self.length_margin
        )
        thresholds = FlagThresholds(
            loop_repeats=self.loop_repeats,
            min_confidence=self.min_confidence,
            max_no_speech=self.max_no_speech,
        )
        if (self.ctc_weight or self.draft) and (model.ctc_head is None or rules.blank_token is None):
            option = "ctc_weight" if self.ctc_weight else "draft"
            lacking = "this model has no CTC head" if model.ctc_head is None else "this vocabulary has no blank token"
            raise ConfigError(
                f"search.{option} is {getattr(self, option)}, but {lacking}. "
                f"Leave out search.{option}, or train a character model with model.ctc: true."
            )
        greedy = self.beam == 1 and not self.ctc_weight and not advisers
        if greedy and self.draft and not self.length_bonus and not self.forbid_loops:
            return DraftSearch(model, rules, bound=bound, thresholds=thresholds)
        if greedy:
            return GreedySearch(
                model,
                rules,
                bound=bound,
                thresholds=thresholds,
                length_bonus=self.length_bonus,
                forbid_loops=self.forbid_loops,
            )
        return BeamSearch(
            model,
            rules,
            beam=self.beam,
            ranking=Ranking(
                ctc_weight=self.ctc_weight,
                length_bonus=self.length_bonus,
                length_normalization=self.length_normalization,
            ),
            bound=bound,
            thresholds=thresholds,
            patience=self.patience,
            forbid_loops=self.forbid_loops,
            advisers=advisers,
        )
