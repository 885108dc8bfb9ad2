"""A language model of Transformer layers, each token attending to those before it.

Al-Rfou 2019: Al-Rfou et al., "Character-level language modeling with deeper self-attention", AAAI 2019.
Press 2017: Press & Wolf, "Using the output embedding to improve language models", EACL 2017 (tied embedding).
Vaswani 2017: Vaswani et al., "Attention is all you need", NeurIPS 2017.
"""

from dataclasses import replace
from typing import Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from asr_s2s.config import Layers, PartConfig, Width
from asr_s2s.models.decoders.transformer_state import KeysValues, TransformerState, kept, reordered, with_own_slots
from asr_s2s.models.feedforward import FeedForward, initialise
from asr_s2s.models.multihead import MultiHeadAttention, check_heads
from asr_s2s.models.positions import sinusoids_at
from asr_s2s.models.tied import tied_logits


class TransformerLanguageLayer(nn.Module):
    """Attention to the tokens so far, then a position-wise network, each normalised first and added to its input."""

    def __init__(self, channels: int, *, heads: int, feedforward: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(channels)
        self.attention = MultiHeadAttention(channels, heads=heads)
        self.feedforward_norm = nn.LayerNorm(channels)
        self.feedforward = FeedForward(channels, feedforward, activation=nn.GELU(), dropout=dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: Tensor, *, earlier: KeysValues | None, visible_slots: Tensor | None
    ) -> tuple[Tensor, KeysValues]:
        """Transform tokens given the earlier ones.

        x: (batch, token, channel); earlier: keys and values of the slots before these tokens
        visible_slots: (batch, 1, token, slot) bool, True at those that a token sees; None: those up to itself
        returns: x of the same shape, all keys and values so far
        """
        normed = self.attention_norm(x)
        keys, values = self.attention.keys_values(normed)
        if earlier is not None:
            keys, values = torch.cat([earlier[0], keys], dim=2), torch.cat([earlier[1], values], dim=2)
        attended, _ = self.attention(normed, keys, values, allowed=visible_slots, causal=visible_slots is None)
        x = x + self.dropout(attended)
        return x + self.dropout(self.feedforward(self.feedforward_norm(x))), (keys, values)


class TransformerLanguageModel(nn.Module):
    """A pre-norm stack over embeddings with sinusoidal positions, whose transposed table is the output layer.

    Its state is that of a Transformer decoder which attends to no sound.
    """

    def __init__(
        self, vocabulary_size: int, *, channels: int, heads: int, layers: int, feedforward: int, dropout: float
    ) -> None:
        super().__init__()
        self.channels, self.heads = channels, heads
        self.embedding = nn.Embedding(vocabulary_size, channels)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(
            TransformerLanguageLayer(channels, heads=heads, feedforward=feedforward, dropout=dropout)
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(channels)
        initialise(self.layers, residual_branches=2 * layers)
        nn.init.normal_(self.embedding.weight, std=channels**-0.5)

    def forward(self, tokens: Tensor) -> Tensor:
        """Score what follows each token, given those up to it: (batch, token) to logits (batch, token, vocabulary)."""
        x = self._embed(tokens, torch.arange(tokens.size(1), device=tokens.device))
        for layer in self.layers:
            x, _ = layer(x, earlier=None, visible_slots=None)
        return self._logits(x)

    def start(self, batch: int, *, device: torch.device) -> TransformerState:
        """Return the state before the first token, with one hypothesis per utterance."""
        empty = torch.zeros(batch, self.heads, 0, self.channels // self.heads, device=device)
        return TransformerState(
            encoded=(),
            frames=torch.zeros(batch, 1, 1, 0, dtype=torch.bool, device=device),
            written=tuple((empty, empty) for _ in self.layers),
            visible_slots=torch.zeros(batch, 1, 0, dtype=torch.bool, device=device),
            position=0,
        )

    def step(self, tokens: Tensor, state: TransformerState) -> tuple[Tensor, TransformerState]:
        """Append one token (batch, beam) to each hypothesis: logits (batch, beam, vocabulary) of what follows."""
        return self.extend(tokens, with_own_slots(state.visible_slots), state)

    def extend(self, tokens: Tensor, visible_slots: Tensor, state: TransformerState) -> tuple[Tensor, TransformerState]:
        """Write tokens (batch, token) into new slots and score what follows each, as `step` does for one a hypothesis.

        visible_slots: (batch, token, slot + token) bool, True at those that a token sees, its own included
        """
        x = self._embed(tokens, visible_slots.sum(dim=2) - 1)
        written = []
        for layer, earlier in zip(self.layers, state.written, strict=True):
            x, keys_values = layer(x, earlier=earlier, visible_slots=visible_slots[:, None])
            written.append(keys_values)
        return self._logits(x), replace(
            state, written=tuple(written), visible_slots=visible_slots, position=state.position + 1
        )

    def reorder(self, state: TransformerState, beams: Tensor) -> TransformerState:
        """Gather hypotheses within each utterance: beams (batch, new beam) holds old beam indices, repeats allowed."""
        return reordered(state, beams)

    def keep(self, state: TransformerState, utterances: Tensor) -> TransformerState:
        """Keep only the utterances (kept,) of the batch, in that order."""
        return kept(state, utterances)

    def _embed(self, tokens: Tensor, positions: Tensor) -> Tensor:
        """Embed tokens (batch, token) at positions (token,) or (batch, token): (batch, token, channel).

        Embeddings start as small as 1 / sqrt(channel), so that the output layer does; Vaswani 2017, section 3.4.
        """
        scaled = self.embedding(tokens) * self.channels**0.5
        embedded: Tensor = self.dropout(scaled + sinusoids_at(positions, self.channels))
        return embedded

    def _logits(self, x: Tensor) -> Tensor:
        return tied_logits(self.norm(x), self.embedding.weight)


class TransformerLanguageConfig(PartConfig):
    """A Transformer language model; `feedforward` is the width of the position-wise networks."""

    kind: Literal["transformer"]
    channels: Width = 256  # width of the states
    heads: Width = 4  # attention heads
    layers: Layers = 4  # Transformer layers
    feedforward: Width = 1024  # width of the position-wise networks
    dropout: float = Field(default=0.1, ge=0, lt=1)  # in training

    @model_validator(mode="after")
    def _heads_fit(self) -> Self:
        check_heads(self.channels, self.heads)
        return self

    def build(self, vocabulary_size: int) -> TransformerLanguageModel:
        """Make the model."""
        return TransformerLanguageModel(
            vocabulary_size,
            channels=self.channels,
            heads=self.heads,
            layers=self.layers,
            feedforward=self.feedforward,
            dropout=self.dropout,
        )
