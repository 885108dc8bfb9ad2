"""Whole texts as a decoder reads them, whatever runs it."""

import numpy as np

from asr_s2s.engine.protocol import Attention, Encoding, Texts, TokenRules, Tokens


def padded(texts: Texts, rules: TokenRules) -> Tokens:
    """Put start tokens before texts and make them equally long: (batch, token)."""
    longest = max((len(text) for text in texts), default=0)
    rows = [[*rules.start_tokens, *text, *[rules.end_token] * (longest - len(text))] for text in texts]
    return np.array(rows, np.int64)


def padded_but_last(texts: Texts, rules: TokenRules) -> Tokens:
    """Pad texts without their last tokens, where nothing is asked of what follows those."""
    return padded([text[:-1] for text in texts], rules)


def without_padding(attention: Attention, texts: Texts, encoding: Encoding, rules: TokenRules) -> list[Attention]:
    """Take the attention of each token of each text, (token, time') of the frames that hold sound.

    attention: (batch, start and text token, time')
    """
    rows = attention[:, len(rules.start_tokens) - 1 :]
    each = zip(rows, texts, encoding.sound_lengths, strict=True)
    return [row[: len(text), :sound] for row, text, sound in each]
