"""How a search begins: the prompt is fed, and the model is asked whether anybody speaks.

Radford et al. 2023, "Robust speech recognition via large-scale weak supervision", ICML 2023 (Whisper).
"""

from typing import TypeVar

from torch import Tensor

from asr_s2s.models.decoders.protocol import Decoder
from asr_s2s.search.rules import TokenRules

State = TypeVar("State")


def open_state(
    decoder: Decoder[State], encoder_out: Tensor, encoder_lengths: Tensor, rules: TokenRules
) -> tuple[State, list[float | None]]:
    """Start a decoder and feed it all start tokens but the last, which the first scoring step feeds.

    returns: the state, and for each utterance how probable the model finds it that nobody speaks: the probability of
    the no-speech token right after the first start token (Radford et al. 2023, section 4.5); None where it has none
    """
    state = decoder.start(encoder_out, encoder_lengths)
    silent: list[float | None] = [None] * len(encoder_out)
    for place, token in enumerate(rules.start_tokens[:-1]):
        output = decoder.step(encoder_lengths.new_full((len(encoder_out), 1), token), state)
        state = output.state
        if place == 0 and rules.no_speech_token is not None:
            silent = output.logits[:, 0].float().softmax(-1)[:, rules.no_speech_token].tolist()
    return state, silent
