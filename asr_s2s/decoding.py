"""How a model's hypotheses are found, bounded and doubted, unless somebody asks otherwise: its decoding defaults."""

from typing import Annotated, Any

from pydantic import Field, model_validator

from asr_s2s.config import PartConfig

MOST_BEAM = 100  # with long pieces and a large vocabulary a gigabyte
Factor = Annotated[float, Field(gt=0, le=100)]
Power = Annotated[float, Field(ge=0, le=10)]
Nats = Annotated[float, Field(ge=-1000, le=1000)]  # of a score: what is larger drowns the model
Gain = Annotated[float, Field(ge=0, le=1000)]


class SearchConfig(PartConfig):
    """The section `search` of a model's configuration."""

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
    confidence_offset: Nats = 0.0  # of the same curve

    @model_validator(mode="before")
    @classmethod
    def _without_min_coverage(cls, given: Any) -> Any:
        """Read what was written while a share of attention, and not seconds of speech, made the flag."""
        if isinstance(given, dict):
            given = {key: value for key, value in given.items() if key != "min_coverage"}
        return given
