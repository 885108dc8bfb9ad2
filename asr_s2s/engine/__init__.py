"""Runs a model: sound in, scores of tokens out, in torch or another runtime."""

from asr_s2s.engine.protocol import (
    FRAME_SECONDS,
    Attention,
    Encoding,
    Engine,
    LanguageEngine,
    LogProbs,
    NextTokens,
    Samples,
    Scores,
    Start,
    Texts,
    TokenRules,
    Tokens,
    token_rules,
)

__all__ = [
    "FRAME_SECONDS",
    "Attention",
    "Encoding",
    "Engine",
    "LanguageEngine",
    "LogProbs",
    "NextTokens",
    "Samples",
    "Scores",
    "Start",
    "Texts",
    "TokenRules",
    "Tokens",
    "token_rules",
]
