"""A model learns from another one: the encoder from its states, the decoder from its distributions of next tokens.

Hinton 2015: Hinton, Vinyals, Dean, "Distilling the knowledge in a neural network", section 2.
Gandhi 2023: Gandhi, von Platen, Rush, "Distil-Whisper: robust knowledge distillation via large-scale pseudo labelling".
"""

from dataclasses import dataclass

import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor

from asr_s2s.config import PartConfig
from asr_s2s.models.masks import valid_frames


class DistillationConfig(PartConfig):
    """Who teaches, and what counts how much.

    teacher: a model directory or the name of a shipped model, with the vocabulary of the one that learns, or with byte
        pairs where the one that learns writes characters
    cache: the folder where what it made of each utterance is kept
    states: weight of the encoder states' loss; both encoders give as many frames of as many channels
    tokens: weight of the divergence of the decoders
    """

    teacher: str
    cache: str
    states: NonNegativeFloat = 1.0
    tokens: NonNegativeFloat = 1.0
    kept: PositiveInt = 32  # number of the teacher's most probable tokens that are compared


@dataclass(frozen=True, slots=True)
class TeacherOutput:
    """What a teacher made of a batch, of the recordings as they are, whatever the learner hears.

    states: (batch, time', channel); state_lengths: (batch,)
    tokens: (batch, token, kept), ids of the most probable next tokens given the text so far; log_probs: the same shape
    token_lengths: (batch,), how many of the targets it is asked about; 0 where nobody speaks: it may invent there
    """

    states: Tensor
    state_lengths: Tensor
    tokens: Tensor
    log_probs: Tensor
    token_lengths: Tensor

    def repeated(self, count: int) -> "TeacherOutput":
        """Return what was made of a batch so many times over, as that of one batch."""
        return TeacherOutput(
            states=self.states.repeat(count, 1, 1),
            state_lengths=self.state_lengths.repeat(count),
            tokens=self.tokens.repeat(count, 1, 1),
            log_probs=self.log_probs.repeat(count, 1, 1),
            token_lengths=self.token_lengths.repeat(count),
        )


def state_loss(encoder_out: Tensor, states: Tensor, state_lengths: Tensor) -> Tensor:
    """Return the mean absolute error of encoder states, per valid frame and channel.

    encoder_out: (batch, time', channel), at least as long as states (batch, time, channel): what the learner hears
        beyond the teacher's recording (trailing silence) is its own
    """
    valid = valid_frames(state_lengths, states.size(1))[:, :, None]
    errors = (encoder_out[:, : states.size(1)].float() - states.float()).abs().masked_fill(~valid, 0.0)
    return errors.sum() / (state_lengths.sum() * states.size(2)).clamp(min=1)


def token_divergence(logits: Tensor, tokens: Tensor, log_probs: Tensor, token_lengths: Tensor) -> Tensor:
    """Return the Kullback-Leibler divergence from teacher to learner per valid token (Hinton 2015, at temperature 1).

    The teacher's kept tokens count one by one, all others together as one: a lower bound of the whole divergence,
    zero where both agree.
    logits: (batch, token, vocabulary); token_lengths: (batch,)
    tokens, log_probs: (batch, token, kept), maybe of fewer tokens: of the longest text it may not have been asked
    """
    asked = tokens.size(1)
    learned = logits[:, :asked].float().log_softmax(dim=2).gather(2, tokens)
    divergence = (log_probs.exp() * (log_probs - learned)).sum(dim=2)
    rest, learned_rest = _rest(log_probs), _rest(learned)
    divergence = divergence + rest * (rest.log() - learned_rest.log())
    valid = valid_frames(token_lengths, asked)
    return divergence.masked_fill(~valid, 0.0).sum() / token_lengths.sum().clamp(min=1)


def _rest(log_probs: Tensor) -> Tensor:
    """Return the probability of all tokens that are not kept: (batch, token); never 0: it has a logarithm."""
    return (1.0 - log_probs.exp().sum(dim=2)).clamp(min=torch.finfo(torch.float32).eps)
