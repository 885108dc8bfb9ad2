"""Runs a language model in torch, in float32: it is small."""

from collections.abc import Sequence
from typing import Any

import torch

from asr_s2s.engine.protocol import Tokens
from asr_s2s.engine.torch_engine import TorchScores
from asr_s2s.models import LanguageModel


class TorchLanguageEngine:
    """See the protocol `LanguageEngine`."""

    def __init__(self, model: LanguageModel, *, vocabulary_size: int, device: torch.device) -> None:
        self.model = model.to(device).eval()
        self.vocabulary_size = vocabulary_size
        self.device = device

    @torch.inference_mode()
    def start(self, batch: int) -> Any:
        """Return the state before the first token."""
        return self.model.start(batch, device=self.device)

    @torch.inference_mode()
    def step(self, tokens: Tokens, state: Any, *, forbidden: Sequence[int] = ()) -> tuple[TorchScores, Any]:
        """Append one token to each hypothesis and score what follows."""
        logits, state = self.model.step(torch.from_numpy(tokens).to(self.device), state)
        return TorchScores.of(logits, forbidden), state

    @torch.inference_mode()
    def reorder(self, state: Any, beams: Tokens) -> Any:
        """Gather hypotheses within each utterance."""
        return self.model.reorder(state, torch.from_numpy(beams).to(self.device))

    @torch.inference_mode()
    def keep(self, state: Any, utterances: Tokens) -> Any:
        """Keep only some utterances of the batch."""
        return self.model.keep(state, torch.from_numpy(utterances).to(self.device))
