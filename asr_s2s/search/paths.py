"""The tokens behind each hypothesis of a beam, and where in the beam each was when a token was chosen."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Paths:
    """What has been chosen so far; every method gives new values. All are (batch, beam, token).

    tokens: chosen tokens; log_probs: the decoder's log probability of each
    slots: which hypothesis of the beam each token was chosen for, to find its attention again
    """

    tokens: Tensor
    log_probs: Tensor
    slots: Tensor

    @classmethod
    def start(cls, batch: int, *, device: torch.device) -> "Paths":
        """One empty path per utterance."""
        none = torch.zeros(batch, 1, 0, dtype=torch.long, device=device)
        return cls(none, none.float(), none)

    def advance(self, beams: Tensor, tokens: Tensor, log_probs: Tensor) -> "Paths":
        """Choose paths (batch, new beam) within each utterance and append one token to each."""
        rows = torch.arange(len(beams), device=beams.device).unsqueeze(1)
        return Paths(
            tokens=torch.cat([self.tokens[rows, beams], tokens.unsqueeze(-1)], dim=-1),
            log_probs=torch.cat([self.log_probs[rows, beams], log_probs.unsqueeze(-1)], dim=-1),
            slots=torch.cat([self.slots[rows, beams], beams.unsqueeze(-1)], dim=-1),
        )

    def keep(self, utterances: Tensor) -> "Paths":
        """Keep only some utterances of the batch."""
        return Paths(self.tokens[utterances], self.log_probs[utterances], self.slots[utterances])
