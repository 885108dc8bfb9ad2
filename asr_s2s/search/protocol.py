"""What a search needs of a model, and what every search offers its caller."""

from typing import Any, Protocol, TypeVar

from torch import Tensor, nn

from asr_s2s.models.decoders.protocol import Decoder
from asr_s2s.search.hypothesis import Hypothesis

State = TypeVar("State")

STAYING = 0.75  # to drop utterances copies what is remembered of the others, which costs about as much as a step


class Recognizable(Protocol):
    """The part of a speech model that a search calls."""

    @property
    def decoder(self) -> Decoder[Any]:
        """Scores of the next token."""
        ...

    @property
    def ctc_head(self) -> nn.Module | None:
        """Present where ctc_log_probs may be called."""
        ...

    def ctc_log_probs(self, encoder_out: Tensor) -> Tensor:
        """Give log probabilities (batch, time', vocabulary) of each frame."""
        ...

    def predict_lengths(self, encoder_out: Tensor, encoder_lengths: Tensor) -> Tensor | None:
        """Give the expected number of tokens (batch,); None where the model has no such head."""
        ...


class Search(Protocol):
    """Find the best hypothesis of each utterance of a batch."""

    def __call__(
        self,
        encoder_out: Tensor,
        encoder_lengths: Tensor,
        *,
        sound_lengths: Tensor | None = None,
        with_attention: bool = False,
    ) -> list[Hypothesis]:
        """Give one hypothesis per utterance, the same alone and in any batch.

        encoder_out: (batch, time', channel), encoder_lengths: (batch,)
        sound_lengths: (batch,), encoder frames that hold recorded sound, where the rest is padding that the encoder
            was made to see (Whisper's 30 seconds); bounds and coverage count them. None: encoder_lengths.
        with_attention: keep each token's attention, which costs time and memory
        """
        ...


def worth_leaving(going_on: int, batch: int) -> bool:
    """Say if so many of a batch's utterances are settled that the others should go on without them."""
    return going_on <= STAYING * batch
