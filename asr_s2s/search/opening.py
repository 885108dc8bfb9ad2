"""How a search begins: the prompt is fed, and the model is asked whether anybody speaks.

Radford et al. 2023, "Robust speech recognition via large-scale weak supervision", ICML 2023 (Whisper).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from asr_s2s.search.flags import FlagThresholds, with_flags
from asr_s2s.search.hypothesis import Hypothesis
from asr_s2s.search.protocol import Recognizable
from asr_s2s.search.rules import LengthBound, TokenRules


@dataclass(frozen=True)
class Opening:
    """Where the first scoring step finds a batch.

    state: the decoder's, fed with all start tokens but the last, which the first scoring step feeds
    limits: for each utterance the greatest number of tokens
    silent: for each utterance how probable the model finds it that nobody speaks: the probability of the no-speech
        token right after the first start token (Radford et al. 2023, section 4.5); None where it has no such token
    """

    state: Any
    limits: list[int]
    silent: list[float | None]

    def flagged(self, hypotheses: Iterable[Hypothesis], thresholds: FlagThresholds) -> list[Hypothesis]:
        """Give the batch's hypotheses with the flags that their own evidence raises."""
        found = zip(hypotheses, self.silent, strict=True)
        return [with_flags(hypothesis, thresholds, no_speech=no_speech) for hypothesis, no_speech in found]


def open_search(
    model: Recognizable,
    rules: TokenRules,
    bound: LengthBound,
    *,
    encoder_out: Tensor,
    encoder_lengths: Tensor,
    sound_lengths: Tensor | None,
) -> Opening:
    """Bound each hypothesis, start the decoder and feed it the prompt."""
    sound_lengths = encoder_lengths if sound_lengths is None else sound_lengths
    num_prompt = len(rules.start_tokens)
    limits = bound.limits(model, encoder_out, encoder_lengths, sound_lengths=sound_lengths, start_tokens=num_prompt)
    state = model.decoder.start(encoder_out, encoder_lengths)
    silent: list[float | None] = [None] * len(encoder_out)
    for place, token in enumerate(rules.start_tokens[:-1]):
        output = model.decoder.step(encoder_lengths.new_full((len(encoder_out), 1), token), state)
        state = output.state
        if place == 0 and rules.no_speech_token is not None:
            silent = output.logits[:, 0].float().softmax(-1)[:, rules.no_speech_token].tolist()
    return Opening(state, limits, silent)
