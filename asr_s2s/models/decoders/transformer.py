"""The Transformer decoder; with the sizes of a checkpoint it is Whisper's.

Vaswani 2017: Vaswani et al., "Attention is all you need", NeurIPS 2017.
Radford 2023: Radford et al., "Robust speech recognition via large-scale weak supervision", ICML 2023 (Whisper).
Press 2017: Press & Wolf, "Using the output embedding to improve language models", EACL 2017 (tied embedding).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal, Self, cast

import torch
from pydantic import Field, NonNegativeInt, model_validator
from torch import Tensor, nn

from asr_s2s.config import Layers, PartConfig, Width
from asr_s2s.errors import ConfigError
from asr_s2s.models.decoders.protocol import DecoderOutput, StepOutput
from asr_s2s.models.decoders.transformer_state import KeysValues, TransformerState, kept, reordered, with_own_slots
from asr_s2s.models.feedforward import FeedForward, initialise
from asr_s2s.models.multihead import MultiHeadAttention, check_heads
from asr_s2s.models.positions import sinusoids
from asr_s2s.models.silence import MergedSilence, visible_keys
from asr_s2s.models.tied import tied_logits

AlignmentHead = Annotated[tuple[NonNegativeInt, NonNegativeInt], Field(strict=False)]


class TransformerDecoderLayer(nn.Module):
    """Self-attention, attention to the encoding, a position-wise network, each normalised first and added."""

    def __init__(self, channels: int, *, heads: int, feedforward: int, dropout: float, encoder_channels: int) -> None:
        super().__init__()
        self.self_attention_norm = nn.LayerNorm(channels)
        self.self_attention = MultiHeadAttention(channels, heads=heads)
        self.cross_attention_norm = nn.LayerNorm(channels)
        self.cross_attention = MultiHeadAttention(channels, heads=heads, memory_channels=encoder_channels)
        self.feedforward_norm = nn.LayerNorm(channels)
        self.feedforward = FeedForward(channels, feedforward, activation=nn.GELU(), dropout=dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        x: Tensor,
        *,
        earlier: KeysValues | None,
        visible_slots: Tensor | None,
        encoded: KeysValues,
        frames: Tensor,
        with_weights: bool,
    ) -> tuple[Tensor, KeysValues, Tensor | None]:
        """Transform tokens given the earlier ones and the encoding.

        x: (batch, token, channel); earlier: keys and values of the slots before these tokens
        visible_slots: (batch, 1, token, slot) bool, True at those that a token sees; None: those up to itself
        returns: x of the same shape, all keys and values so far, weights (batch, head, token, time') if asked for
        """
        normed = self.self_attention_norm(x)
        keys, values = self.self_attention.keys_values(normed)
        if earlier is not None:
            keys, values = torch.cat([earlier[0], keys], dim=2), torch.cat([earlier[1], values], dim=2)
        attended, _ = self.self_attention(normed, keys, values, allowed=visible_slots, causal=visible_slots is None)
        x = x + self.dropout(attended)
        attended, weights = self.cross_attention(
            self.cross_attention_norm(x), *encoded, allowed=frames, with_weights=with_weights
        )
        x = x + self.dropout(attended)
        return x + self.dropout(self.feedforward(self.feedforward_norm(x))), (keys, values), weights


class TransformerDecoder(nn.Module):
    """Learned positions, a stack of pre-norm layers, and the transposed embedding as output layer (Press 2017).

    silence: tells which frames of the encoding stand for many, where its encoder appends some
    The attention it reports is the mean of its alignment heads, (layer, head) counted from 0; of none: of all heads of
    the upper half of the layers, where alignments form.
    """

    def __init__(
        self,
        vocabulary_size: int,
        *,
        encoder_channels: int,
        channels: int,
        heads: int,
        layers: int,
        feedforward: int,
        dropout: float,
        max_tokens: int,
        alignment_heads: Sequence[tuple[int, int]] = (),
        silence: MergedSilence | None = None,
    ) -> None:
        super().__init__()
        self.silence = silence
        upper_half = [(layer, head) for layer in range(layers // 2, layers) for head in range(heads)]
        self.aligns = bool(alignment_heads)
        self.alignment_heads = tuple(alignment_heads) or tuple(upper_half)
        self.vocabulary_size = vocabulary_size
        self.max_tokens: int | None = max_tokens
        self.embedding = nn.Embedding(vocabulary_size, channels)
        self.positions = nn.Embedding(max_tokens, channels)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(
            TransformerDecoderLayer(
                channels, heads=heads, feedforward=feedforward, dropout=dropout, encoder_channels=encoder_channels
            )
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(channels)
        self._initialise(channels)

    def forward(
        self, tokens: Tensor, encoder_out: Tensor, encoder_lengths: Tensor, *, with_attention: bool = False
    ) -> DecoderOutput:
        """Score whole sequences at once: the logits at a token depend on no later token.

        tokens: (batch, token), encoder_out: (batch, time', channel), encoder_lengths: (batch,)
        """
        self._check_length(tokens.size(1))
        x = self._embed(tokens, torch.arange(tokens.size(1), device=tokens.device))
        frames = visible_keys(encoder_lengths, encoder_out.size(1), silence=self.silence)
        encoded, all_weights = self._encoded(encoder_out), []
        for index, layer in enumerate(self.layers):
            x, _, weights = layer(
                x,
                earlier=None,
                visible_slots=None,
                encoded=encoded[index],
                frames=frames,
                with_weights=with_attention and self._aligns(index),
            )
            all_weights.append(weights)
        return DecoderOutput(logits=self._logits(x), attention=self._attention(all_weights))

    def start(self, encoder_out: Tensor, encoder_lengths: Tensor) -> TransformerState:
        """Project the encoding once for the whole search; one empty hypothesis per utterance."""
        # The keys are read at every step: worth a copy that lies in order.
        encoded = tuple((keys.contiguous(), values.contiguous()) for keys, values in self._encoded(encoder_out))
        empty = encoded[0][0][:, :, :0]
        return TransformerState(
            encoded=encoded,
            frames=visible_keys(encoder_lengths, encoder_out.size(1), silence=self.silence),
            written=tuple((empty, empty) for _ in self.layers),
            visible_slots=torch.zeros(encoder_out.size(0), 1, 0, dtype=torch.bool, device=encoder_out.device),
            position=0,
        )

    def step(
        self, tokens: Tensor, state: TransformerState, *, with_attention: bool = False
    ) -> StepOutput[TransformerState]:
        """Append one token (batch, beam) to each hypothesis and score the next: logits (batch, beam, vocabulary)."""
        self._check_length(state.position + 1)
        return self.extend(tokens, with_own_slots(state.visible_slots), state, with_attention=with_attention)

    def extend(
        self, tokens: Tensor, visible_slots: Tensor, state: TransformerState, *, with_attention: bool = False
    ) -> StepOutput[TransformerState]:
        """Write tokens (batch, token) into new slots and score what follows each, as `step` does for one a hypothesis.

        visible_slots: (batch, token, slot + token) bool, True at those that a token sees, its own included
        """
        x = self._embed(tokens, visible_slots.sum(dim=2) - 1)
        written, all_weights = [], []
        for index, layer in enumerate(self.layers):
            x, keys_values, weights = layer(
                x,
                earlier=state.written[index],
                visible_slots=visible_slots[:, None],
                encoded=state.encoded[index],
                frames=state.frames,
                with_weights=with_attention and self._aligns(index),
            )
            written.append(keys_values)
            all_weights.append(weights)
        state = replace(state, written=tuple(written), visible_slots=visible_slots, position=state.position + 1)
        return StepOutput(logits=self._logits(x), attention=self._attention(all_weights), state=state)

    def reorder(self, state: TransformerState, beams: Tensor) -> TransformerState:
        """Gather hypotheses within each utterance: beams (batch, new beam) holds old beam indices."""
        return reordered(state, beams)

    def keep(self, state: TransformerState, utterances: Tensor) -> TransformerState:
        """Keep only the utterances (kept,) of the batch, in that order."""
        return kept(state, utterances)

    def _check_length(self, num_tokens: int) -> None:
        if num_tokens > self.positions.num_embeddings:
            raise ConfigError(
                f"model.decoder.max_tokens is {self.max_tokens}, but a sequence has {num_tokens} tokens. "
                "Cut the utterance into shorter pieces, or train with a larger max_tokens."
            )

    def _embed(self, tokens: Tensor, positions: Tensor) -> Tensor:
        """Embed tokens (batch, token) at positions (token,) or (batch, token): (batch, token, channel)."""
        embedded: Tensor = self.dropout(self.embedding(tokens) + self.positions(positions))
        return embedded

    def _encoded(self, encoder_out: Tensor) -> tuple[KeysValues, ...]:
        layers = cast("list[TransformerDecoderLayer]", list(self.layers))
        return tuple(layer.cross_attention.keys_values(encoder_out) for layer in layers)

    def _logits(self, x: Tensor) -> Tensor:
        return tied_logits(self.norm(x), self.embedding.weight)

    def _aligns(self, layer: int) -> bool:
        return any(layer == each for each, _ in self.alignment_heads)

    def _attention(self, weights: Sequence[Tensor | None]) -> Tensor | None:
        """Average the alignment heads' weights (batch, head, token, time') of the layers that were asked for them."""
        chosen = [given[:, head] for layer, head in self.alignment_heads if (given := weights[layer]) is not None]
        return torch.stack(chosen).mean(dim=0) if chosen else None

    def _initialise(self, channels: int) -> None:
        """Start with logits of variance one and with positions that already know their order."""
        initialise(self.layers, residual_branches=3 * len(self.layers))
        nn.init.normal_(self.embedding.weight, std=channels**-0.5)
        with torch.no_grad():
            self.positions.weight.copy_(sinusoids(self.positions.num_embeddings, channels) * channels**-0.5)


class TransformerDecoderConfig(PartConfig):
    """A Transformer decoder; `feedforward` is the width of the position-wise networks.

    alignment_heads: (layer, head) pairs, counted from 0, whose attention shows when a word was said
    """

    kind: Literal["transformer"]
    channels: Width = 256  # width of the states
    heads: Width = 4  # attention heads
    layers: Layers = 4  # Transformer layers
    feedforward: Width = 1024  # width of the position-wise networks
    dropout: float = Field(default=0.1, ge=0, lt=1)  # in training
    max_tokens: Width = 448  # the longest sequence, start tokens included
    alignment_heads: Annotated[tuple[AlignmentHead, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        check_heads(self.channels, self.heads)
        for layer, head in self.alignment_heads:
            if layer >= self.layers or head >= self.heads:
                raise ValueError(
                    f"alignment_heads names head {head} of layer {layer}, and there are {self.layers} layers of "
                    f"{self.heads} heads, counted from 0"
                )
        return self

    def build(
        self, encoder_channels: int, vocabulary_size: int, *, silence: MergedSilence | None = None
    ) -> TransformerDecoder:
        """Make the decoder."""
        return TransformerDecoder(
            vocabulary_size,
            encoder_channels=encoder_channels,
            channels=self.channels,
            heads=self.heads,
            layers=self.layers,
            feedforward=self.feedforward,
            dropout=self.dropout,
            max_tokens=self.max_tokens,
            alignment_heads=self.alignment_heads,
            silence=silence,
        )
