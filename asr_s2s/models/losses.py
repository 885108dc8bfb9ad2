"""What training minimises: each loss is a plain function to a scalar, logged on its own, and their weighted sum.

The word "per token" counts the end token where it is predicted (cross-entropy, guided attention) and not where it is
absent (CTC). References stand at the functions.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from pydantic import Field, PositiveFloat, PositiveInt, ValidationInfo, field_validator
from torch import Tensor
from torch.nn import functional

from asr_s2s.config import PartConfig
from asr_s2s.errors import ConfigError
from asr_s2s.models.distillation import DistillationConfig, TeacherOutput, state_loss, token_divergence
from asr_s2s.models.masks import valid_frames
from asr_s2s.models.speech_model import ModelOutput

IGNORED = -100  # a target that F.cross_entropy leaves out
BLANK = 0  # CTC's blank token; every vocabulary for CTC has it first


class CrossEntropyConfig(PartConfig):
    """Cross-entropy of the decoder; smoothing is the share of the target spread over the whole vocabulary."""

    weight: PositiveFloat = 1.0  # in the sum of losses
    smoothing: float = Field(default=0.1, ge=0.0, lt=1.0)  # share of the target spread over the vocabulary


class GuidedAttentionConfig(PartConfig):
    """Pulls the attention towards the diagonal in the first epochs; sigma is the width of what is free, of length 1."""

    weight: PositiveFloat = 1.0  # in the sum of losses
    sigma: PositiveFloat = 0.4  # width of the free diagonal; 1 is the whole utterance
    epochs: PositiveInt = 5  # the first epochs, in which it counts


class LossConfig(PartConfig):
    """Weights of the losses; ctc and length count where the model has the head (model.ctc, model.length)."""

    cross_entropy: CrossEntropyConfig = CrossEntropyConfig()  # of the decoder's next tokens
    ctc: float = 0.3  # weight, if model.ctc
    length: float = 0.05  # weight, if model.length
    guided_attention: GuidedAttentionConfig | None = None  # pulls attention towards the diagonal
    distillation: DistillationConfig | None = None  # learning from another model

    @field_validator("ctc", "length")
    @classmethod
    def _counts(cls, weight: float, info: ValidationInfo) -> float:
        if weight <= 0:
            raise ValueError(f"a weight is above 0. To train without this loss set model.{info.field_name}: false")
        return weight

    def guides(self, epoch: int) -> bool:
        """Return whether attention is guided in this epoch (from 0), so that the model must return its weights."""
        return self.guided_attention is not None and epoch < self.guided_attention.epochs

    @property
    def weights(self) -> dict[str, float]:
        """The weight of every loss that there may be, by its name."""
        guided, learned = self.guided_attention, self.distillation
        return {
            "cross_entropy": self.cross_entropy.weight,
            "ctc": self.ctc,
            "length": self.length,
            "guided_attention": guided.weight if guided else 0.0,
            "states": learned.states if learned else 0.0,
            "divergence": learned.tokens if learned else 0.0,
        }


@dataclass(frozen=True, slots=True)
class Losses:
    """The weighted sum to minimise, and each part before its weight, by name, in a fixed order.

    ctc_left_out: utterances with more tokens than frames, which CTC cannot align; zero without CTC
    """

    total: Tensor
    parts: dict[str, Tensor]
    ctc_left_out: int


def total_loss(
    output: ModelOutput,
    *,
    tokens: Tensor,
    token_lengths: Tensor,
    targets: Tensor,
    target_lengths: Tensor,
    config: LossConfig,
    epoch: int,
    teacher: TeacherOutput | None = None,
    counts: Mapping[str, float] | None = None,
) -> Losses:
    """Add up every loss that the model's output allows.

    tokens: (batch, token), without start and end; targets: (batch, token + 1), with the end (with_start_and_end)
    epoch: counted from 0; where config.guides(epoch), the output must hold the attention
    teacher: what config.distillation compares with; None: nothing is compared, as on a development set
    counts: what the losses of all batches of a step are divided by (loss_counts, summed), so that theirs add up to
        those of one large batch; None: this batch is all

    Raises ConfigError where attention is to be guided and the output holds none.
    """
    # the start tokens but the last have no target: a prompt is given, not predicted
    logits = output.logits[:, -targets.size(1) :]
    parts = {"cross_entropy": cross_entropy(logits, targets, target_lengths, smoothing=config.cross_entropy.smoothing)}
    left_out = 0
    if output.ctc_logits is not None:
        parts["ctc"] = ctc_loss(output.ctc_logits, output.encoder_lengths, tokens, token_lengths)
        left_out = int((~fits_ctc(output.encoder_lengths, tokens, token_lengths)).sum())
    if output.predicted_lengths is not None:
        parts["length"] = length_loss(output.predicted_lengths, token_lengths)
    if config.guided_attention is not None and config.guides(epoch):
        if output.attention is None:
            raise ConfigError(
                "losses.guided_attention is set, but the model gave no attention weights. "
                "Remove it where model.attention.kind is none; elsewhere call the model with_attention=True."
            )
        parts["guided_attention"] = guided_attention_loss(
            output.attention[:, -targets.size(1) :],
            target_lengths,
            output.encoder_lengths,
            sigma=config.guided_attention.sigma,
        )
    if config.distillation is not None and teacher is not None:
        parts["states"] = state_loss(output.encoder_out, teacher.states, teacher.state_lengths)
        parts["divergence"] = token_divergence(logits, teacher.tokens, teacher.log_probs, teacher.token_lengths)
    if counts is not None:
        own = loss_counts(tokens, token_lengths, output.encoder_lengths, teacher=teacher)
        parts = {name: value * (own[name] / max(counts[name], 1)) for name, value in parts.items()}
    total = torch.stack([config.weights[name] * value for name, value in parts.items()]).sum()
    return Losses(total, parts, left_out)


def loss_counts(
    tokens: Tensor, token_lengths: Tensor, encoder_lengths: Tensor, *, teacher: TeacherOutput | None
) -> dict[str, float]:
    """Return what each loss of a batch is a mean over, by its name: how many tokens, utterances or values."""
    targets = float(token_lengths.sum()) + len(token_lengths)  # with the end tokens
    return {
        "cross_entropy": targets,
        "ctc": float((token_lengths * fits_ctc(encoder_lengths, tokens, token_lengths)).sum()),
        "length": float(len(token_lengths)),
        "guided_attention": targets,
        "states": float(teacher.state_lengths.sum()) * teacher.states.size(2) if teacher else 0.0,
        "divergence": float(teacher.token_lengths.sum()) if teacher else 0.0,
    }


def with_start_and_end(
    tokens: Tensor, token_lengths: Tensor, *, start_tokens: tuple[int, ...], end_token: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Make a decoder's inputs and targets for teacher forcing.

    tokens: (batch, token), padded; token_lengths: (batch,)
    returns: inputs (batch, start + token), targets (batch, token + 1) with the end token after each utterance's last,
        target_lengths (batch,); the last token + 1 positions of the decoder's output belong to the targets
    """
    start = tokens.new_tensor(start_tokens).expand(tokens.size(0), -1)
    targets = functional.pad(tokens, (0, 1)).scatter(1, token_lengths[:, None], end_token)
    return torch.cat((start, tokens), dim=1), targets, token_lengths + 1


def cross_entropy(logits: Tensor, targets: Tensor, target_lengths: Tensor, *, smoothing: float) -> Tensor:
    """Return the mean cross-entropy per valid token, with label smoothing (Szegedy et al. 2016, section 7).

    logits: (batch, token, vocabulary); targets: (batch, token); target_lengths: (batch,)
    """
    targets = targets.masked_fill(~valid_frames(target_lengths, targets.size(1)), IGNORED)
    return functional.cross_entropy(
        logits.flatten(0, 1).float(), targets.flatten(), ignore_index=IGNORED, label_smoothing=smoothing
    )


def ctc_loss(ctc_logits: Tensor, encoder_lengths: Tensor, tokens: Tensor, token_lengths: Tensor) -> Tensor:
    """Return the CTC loss per token (Graves et al. 2006), over the utterances whose tokens fit their frames.

    ctc_logits: (batch, time, vocabulary), blank at 0; tokens: (batch, token), without start and end
    """
    log_probs = ctc_logits.float().log_softmax(dim=-1).transpose(0, 1)
    # an utterance that does not fit has infinite loss; zero_infinity takes out it and its gradient
    sums = functional.ctc_loss(
        log_probs, tokens, encoder_lengths, token_lengths, blank=BLANK, reduction="none", zero_infinity=True
    )
    counted = token_lengths * fits_ctc(encoder_lengths, tokens, token_lengths)
    return sums.sum() / counted.sum().clamp(min=1)


def fits_ctc(encoder_lengths: Tensor, tokens: Tensor, token_lengths: Tensor) -> Tensor:
    """Return which utterances (batch,) have a frame for each token and for a blank between two equal ones."""
    repeated = (tokens[:, 1:] == tokens[:, :-1]) & valid_frames(token_lengths, tokens.size(1))[:, 1:]
    return encoder_lengths >= token_lengths + repeated.sum(dim=1)


def length_loss(predicted_lengths: Tensor, token_lengths: Tensor) -> Tensor:
    """Return the mean absolute error, in tokens per utterance, of predicted lengths (batch,)."""
    return functional.l1_loss(predicted_lengths.float(), token_lengths.float())


def guided_attention_loss(attention: Tensor, token_lengths: Tensor, encoder_lengths: Tensor, *, sigma: float) -> Tensor:
    """Return the mean penalty per token for looking away from the diagonal, between 0 and 1.

    Tachibana, Uenoyama, Aihara 2018, "Efficiently trainable text-to-speech system based on deep convolutional networks
    with guided attention", section 4.1. The paper takes the mean over frames too; here they are summed, because the
    weights of a token sum to one, so that the penalty does not shrink as recordings grow.

    attention: (batch, token, time); token_lengths: (batch,), tokens in the attention, the end token among them
    """
    token = torch.arange(attention.size(1), device=attention.device)[:, None] / token_lengths[:, None, None]
    frame = torch.arange(attention.size(2), device=attention.device) / encoder_lengths[:, None, None].clamp(min=1)
    penalty = 1 - torch.exp(-((token - frame) ** 2) / (2 * sigma**2))
    valid = valid_frames(token_lengths, attention.size(1))[:, :, None]
    # beyond an utterance's frames the weights are zero already
    return (attention * penalty).masked_fill(~valid, 0.0).sum() / token_lengths.sum()
