"""The search that a configuration asks for, of one model and one vocabulary."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from asr_s2s.decoding import SearchConfig
from asr_s2s.engine.protocol import Engine, TokenRules
from asr_s2s.errors import ConfigError
from asr_s2s.search.beam import Beam
from asr_s2s.search.bound import LengthBound
from asr_s2s.search.draft import Draft
from asr_s2s.search.external_scorer import ExternalScorer
from asr_s2s.search.flags import FlagThresholds
from asr_s2s.search.ranking import Ranking
from asr_s2s.search.search import Search, Way


def build_search(
    engine: Engine[Any], rules: TokenRules, config: SearchConfig, *, scorers: Sequence[ExternalScorer] = ()
) -> Search:
    """Make the search.

    Raises ConfigError if CTC is to be used and the model or the vocabulary has no place for it.
    """
    if config.allow_empty:
        first = tuple(token for token in rules.suppressed_first if token != rules.end_token)
        rules = replace(rules, suppressed_first=first)
    if config.ctc_weight or config.draft:
        _check_ctc(engine, rules, config)
    thresholds = FlagThresholds(
        loop_repeats=config.loop_repeats, min_confidence=config.min_confidence, max_no_speech=config.max_no_speech
    )
    bound = LengthBound(
        tokens_per_frame=config.max_tokens_per_frame,
        length_factor=config.max_length_factor,
        margin=config.length_margin,
    )
    return Search(engine, rules, way=_way(engine, rules, config, scorers), bound=bound, thresholds=thresholds)


def _way(engine: Engine[Any], rules: TokenRules, config: SearchConfig, scorers: Sequence[ExternalScorer]) -> Way:
    changes_scores = config.ctc_weight or config.length_bonus or config.forbid_loops or scorers
    if config.draft and config.beam == 1 and not changes_scores:
        return Draft(engine, rules)
    return Beam(
        engine,
        rules,
        beam=config.beam,
        enough=max(1, round(config.beam * config.patience)) if config.beam > 1 else 1,
        ranking=Ranking(
            ctc_weight=config.ctc_weight,
            length_bonus=config.length_bonus,
            length_normalization=config.length_normalization,
        ),
        forbidden_repeats=config.loop_repeats if config.forbid_loops else None,
        scorers=scorers,
    )


def _check_ctc(engine: Engine[Any], rules: TokenRules, config: SearchConfig) -> None:
    if engine.has_ctc and rules.blank_token is not None:
        return
    option = "ctc_weight" if config.ctc_weight else "draft"
    lacking = "this vocabulary has no blank token" if engine.has_ctc else "this model has no CTC head"
    raise ConfigError(
        f"search.{option} is {getattr(config, option)}, but {lacking}. "
        f"Leave out search.{option}, or train a character model with model.ctc: true."
    )
