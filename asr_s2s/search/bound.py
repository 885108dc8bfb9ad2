"""How many tokens a hypothesis may have."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from asr_s2s.engine.protocol import Encoding, Engine


@dataclass(frozen=True, slots=True)
class LengthBound:
    """How many tokens a hypothesis may have, before the end token.

    Each part bounds on its own and the smallest holds: tokens_per_frame x encoder frames + margin; where the model has
    a length head, length_factor x predicted length + margin; where the decoder has a longest sequence, what it leaves.
    """

    tokens_per_frame: float
    length_factor: float
    margin: int

    def limits(self, engine: Engine[Any], encoding: Encoding, *, start_tokens: int) -> list[int]:
        """Return each utterance's greatest number of tokens."""
        expected = encoding.sound_lengths * self.tokens_per_frame
        predicted = engine.predicted_lengths(encoding)
        if predicted is not None:
            expected = np.minimum(expected, np.maximum(predicted, 0.0) * self.length_factor)
        limits = [math.ceil(value) + self.margin for value in expected.tolist()]
        longest = engine.max_tokens
        return limits if longest is None else [min(limit, longest - start_tokens) for limit in limits]
