"""From an encoding to token sequences: the searches, and the configuration that picks one."""

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from asr_s2s.config import PartConfig
from asr_s2s.search.flags import FlagThresholds
from asr_s2s.search.greedy import GreedySearch
from asr_s2s.search.hypothesis import Flag, FlagName, Hypothesis
from asr_s2s.search.protocol import Recognizable, Search
from asr_s2s.search.rules import LengthBound, TokenRules

__all__ = ["Flag", "FlagName", "GreedySearch", "Hypothesis", "Recognizable", "Search", "SearchConfig", "TokenRules"]


class SearchConfig(PartConfig):
    """How hypotheses are found, bounded and doubted."""

    beam: PositiveInt = 5
    length_bonus: float = 0.0
    max_tokens_per_frame: PositiveFloat = 2.0
    max_length_factor: PositiveFloat = 1.5
    length_margin: NonNegativeInt = 10
    forbid_loops: bool = False
    loop_repeats: int = Field(default=4, ge=2)
    min_coverage: NonNegativeFloat = 0.5
    min_confidence: NonNegativeFloat = 0.4

    def build(self, model: Recognizable, rules: TokenRules) -> Search:
        """Make the search for one model and one vocabulary."""
        bound = LengthBound(self.max_tokens_per_frame, self.max_length_factor, self.length_margin)
        thresholds = FlagThresholds(self.loop_repeats, self.min_coverage, self.min_confidence)
        return GreedySearch(
            model,
            rules,
            bound=bound,
            thresholds=thresholds,
            length_bonus=self.length_bonus,
            forbid_loops=self.forbid_loops,
        )
