"""Which tokens a search may emit, and how many of them."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from asr_s2s.search.protocol import Recognizable


@dataclass(frozen=True, slots=True)
class TokenRules:
    """The vocabulary's part in a search: how a sequence starts and ends, and what never stands in it.

    start_tokens are fed, never scored; suppressed_first is forbidden only as the first token after them.
    no_speech_token is what the model would say after the first of several start tokens if nobody spoke.
    """

    start_tokens: tuple[int, ...]
    end_token: int
    suppressed: tuple[int, ...] = ()
    suppressed_first: tuple[int, ...] = ()
    blank_token: int | None = None
    no_speech_token: int | None = None


def allowed_log_probs(logits: Tensor, rules: TokenRules, *, first: bool) -> Tensor:
    """Turn logits (..., vocabulary) into float32 log probabilities over the tokens that the rules allow here."""
    forbidden = rules.suppressed + rules.suppressed_first if first else rules.suppressed
    if not forbidden:
        return logits.log_softmax(-1, dtype=torch.float32)
    logits = logits.to(torch.float32, copy=True)
    logits.index_fill_(-1, torch.tensor(forbidden, device=logits.device), -torch.inf)
    return logits.log_softmax(-1)


@dataclass(frozen=True, slots=True)
class LengthBound:
    """How many tokens a hypothesis may have, before the end token.

    Each part bounds on its own and the smallest holds: tokens_per_frame x encoder frames + margin; where the model has
    a length head, length_factor x predicted length + margin; where the decoder has a longest sequence, what it leaves.
    """

    tokens_per_frame: float
    length_factor: float
    margin: int

    def limits(
        self,
        model: Recognizable,
        encoder_out: Tensor,
        encoder_lengths: Tensor,
        *,
        sound_lengths: Tensor,
        start_tokens: int,
    ) -> list[int]:
        """Give each utterance's greatest number of tokens; sound_lengths (batch,) are the frames to count."""
        expected = sound_lengths.float() * self.tokens_per_frame
        predicted = model.predict_lengths(encoder_out, encoder_lengths)
        if predicted is not None:
            expected = torch.minimum(expected, predicted.float().clamp(min=0) * self.length_factor)
        limits = [math.ceil(value) + self.margin for value in expected.tolist()]
        longest = model.decoder.max_tokens
        return limits if longest is None else [min(limit, longest - start_tokens) for limit in limits]
