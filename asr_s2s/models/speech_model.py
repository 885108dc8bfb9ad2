"""The whole network: features go in, scores of tokens come out."""

import math
from dataclasses import dataclass
from typing import Any, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator
from torch import Tensor, nn
from torch.nn import functional

from asr_s2s.config import PartConfig
from asr_s2s.errors import ConfigError
from asr_s2s.models.attention import AttentionConfig
from asr_s2s.models.decoders import DecoderConfig
from asr_s2s.models.decoders.protocol import Decoder
from asr_s2s.models.decoders.rnn import RnnConfig
from asr_s2s.models.encoders import Encoder, EncoderConfig
from asr_s2s.models.encoders.transformer import TransformerConfig
from asr_s2s.models.masks import valid_frames
from asr_s2s.models.silence import MergedSilence, MergedSilenceConfig


@dataclass(frozen=True, slots=True)
class ModelOutput:
    """What one teacher-forced pass gives; a head that the model lacks, and attention not asked for, is None.

    logits: (batch, token, vocabulary), attention: (batch, token, time')
    encoder_out: (batch, time', channel), encoder_lengths: (batch,)
    ctc_logits: (batch, time', vocabulary), predicted_lengths: (batch,) in tokens
    """

    logits: Tensor
    attention: Tensor | None
    encoder_out: Tensor
    encoder_lengths: Tensor
    ctc_logits: Tensor | None
    predicted_lengths: Tensor | None


class LengthHead(nn.Module):
    """Predicts how many tokens an utterance has: a positive weight per frame, summed over the real frames."""

    def __init__(self, encoder_channels: int) -> None:
        super().__init__()
        self.weight = nn.Linear(encoder_channels, 1)

    def forward(self, encoder_out: Tensor, encoder_lengths: Tensor) -> Tensor:
        """Return the predicted number of tokens (batch,), float32, of encoder_out (batch, time, channel)."""
        channels = encoder_out.size(2)
        # unit-length frames: the error of a sum reaches every frame and channel, and would drown the other gradients
        frames = functional.layer_norm(encoder_out.float(), (channels,)) / math.sqrt(channels)
        weights = functional.softplus(self.weight(frames).squeeze(-1).float())
        return weights.masked_fill(~valid_frames(encoder_lengths, encoder_out.size(1)), 0.0).sum(dim=1)


class SpeechModel(nn.Module):
    """An encoder, a decoder that attends to it, and optional heads on the encoder."""

    def __init__(
        self,
        encoder: Encoder,
        decoder: Decoder[Any],
        *,
        ctc_head: nn.Linear | None,
        length_head: LengthHead | None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.ctc_head = ctc_head
        self.length_head = length_head

    def forward(
        self, features: Tensor, feature_lengths: Tensor, tokens: Tensor, *, with_attention: bool = False
    ) -> ModelOutput:
        """Score whole token sequences (teacher forcing), and the heads' outputs beside.

        features: (batch, time, mel), feature_lengths: (batch,); tokens: (batch, token), start tokens included
        """
        return self.decode(*self.encode(features, feature_lengths), tokens, with_attention=with_attention)

    def forward_from(
        self, states: Tensor, lengths: Tensor, tokens: Tensor, *, layers: int, with_attention: bool = False
    ) -> ModelOutput:
        """Score as `forward` does, from what the encoder's lowest layers made of the features (Encoder.lower)."""
        return self.decode(*self.encoder.upper(states, lengths, layers=layers), tokens, with_attention=with_attention)

    def encode(self, features: Tensor, feature_lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return encoder_out (batch, time', channel) and encoder_lengths (batch,)."""
        encoded: tuple[Tensor, Tensor] = self.encoder(features, feature_lengths)
        return encoded

    def decode(
        self, encoder_out: Tensor, encoder_lengths: Tensor, tokens: Tensor, *, with_attention: bool = False
    ) -> ModelOutput:
        """Score whole token sequences and give the heads' outputs beside, of what was encoded already."""
        decoded = self.decoder(tokens, encoder_out, encoder_lengths, with_attention=with_attention)
        return ModelOutput(
            logits=decoded.logits,
            attention=decoded.attention,
            encoder_out=encoder_out,
            encoder_lengths=encoder_lengths,
            ctc_logits=None if self.ctc_head is None else self.ctc_head(encoder_out),
            predicted_lengths=None if self.length_head is None else self.length_head(encoder_out, encoder_lengths),
        )

    def ctc_log_probs(self, encoder_out: Tensor) -> Tensor:
        """Return CTC's log probabilities (batch, time', vocabulary), float32, blank at 0.

        Raises ConfigError for a model without the head.
        """
        if self.ctc_head is None:
            raise ConfigError(
                "search.ctc_weight is above 0, but this model has no CTC head. "
                "Set search.ctc_weight to 0, or train a model with model.ctc: true."
            )
        log_probs: Tensor = self.ctc_head(encoder_out).float().log_softmax(dim=-1)
        return log_probs

    def predict_lengths(self, encoder_out: Tensor, encoder_lengths: Tensor) -> Tensor | None:
        """Return the expected number of tokens (batch,) of each utterance; None for a model without the head."""
        predicted: Tensor | None = None if self.length_head is None else self.length_head(encoder_out, encoder_lengths)
        return predicted


class ModelConfig(PartConfig):
    """The network: which encoder, decoder and attention, and which heads sit on the encoder.

    silence: merges the silence of the window that a Transformer was trained on
    """

    encoder: EncoderConfig  # from features to encoder states
    decoder: DecoderConfig  # from encoder states to tokens
    attention: AttentionConfig | None = Field(default=None, validate_default=True)  # of a recurrent decoder
    ctc: bool = False  # a CTC head on the encoder, trained with losses.ctc
    length: bool = False  # a head that predicts the number of tokens, trained with losses.length
    silence: MergedSilenceConfig | None = None

    @model_validator(mode="after")
    def _silence_suits_both(self) -> Self:
        kinds = self.encoder.kind, self.decoder.kind
        if self.silence and kinds != ("transformer", "transformer"):
            raise ValueError(
                f"silence is merged for a Transformer alone, and this model has '{kinds[0]}' and '{kinds[1]}'. "
                "Leave silence out"
            )
        return self

    @field_validator("attention")
    @classmethod
    def _attention_suits_the_decoder(cls, attention: Any, info: ValidationInfo) -> Any:
        decoder = info.data.get("decoder")  # absent when it is faulty itself
        if isinstance(decoder, RnnConfig) and attention is None:
            raise ValueError(
                "is missing, and decoder 'rnn' needs one. Add 'attention: {kind: location}' "
                "(or dot, additive, multihead; none for a fixed-length vector)"
            )
        if decoder is not None and not isinstance(decoder, RnnConfig) and attention is not None:
            raise ValueError(
                f"decoder '{decoder.kind}' brings its own attention. Remove 'attention', or use an rnn decoder"
            )
        return attention

    def build(self, input_size: int, vocabulary_size: int) -> SpeechModel:
        """Make the network with fresh weights."""
        silence = self.silence.build() if self.silence else None
        encoder = self._build_encoder(input_size, silence)
        width = encoder.channels
        return SpeechModel(
            encoder,
            self._build_decoder(width, vocabulary_size, silence),
            ctc_head=nn.Linear(width, vocabulary_size) if self.ctc else None,
            length_head=LengthHead(width) if self.length else None,
        )

    def _build_encoder(self, input_size: int, silence: MergedSilence | None) -> Encoder:
        if isinstance(self.encoder, TransformerConfig):
            return self.encoder.build(input_size, silence=silence)
        return self.encoder.build(input_size)

    def _build_decoder(
        self, encoder_channels: int, vocabulary_size: int, silence: MergedSilence | None
    ) -> Decoder[Any]:
        if isinstance(self.decoder, RnnConfig):
            assert self.attention is not None  # the validator above
            attention = self.attention.build(self.decoder.channels, encoder_channels)
            return self.decoder.build(encoder_channels, vocabulary_size, attention)
        return self.decoder.build(encoder_channels, vocabulary_size, silence=silence)
