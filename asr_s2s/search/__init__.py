"""From an encoding to token sequences. NumPy alone, and the protocol of an engine: the model may run anywhere."""

from asr_s2s.search.alignment import ctc_token_frames, token_frames
from asr_s2s.search.build import build_search
from asr_s2s.search.external_scorer import ExternalScorer
from asr_s2s.search.flags import mean_probability
from asr_s2s.search.fusion import LanguageFusion
from asr_s2s.search.hotwords import Hotwords
from asr_s2s.search.hypothesis import Flag, FlagName, Hypothesis
from asr_s2s.search.search import Search
from asr_s2s.search.word_ngram import WordFusion, WordScorer

__all__ = [
    "ExternalScorer",
    "Flag",
    "FlagName",
    "Hotwords",
    "Hypothesis",
    "LanguageFusion",
    "Search",
    "WordFusion",
    "WordScorer",
    "build_search",
    "ctc_token_frames",
    "mean_probability",
    "token_frames",
]
