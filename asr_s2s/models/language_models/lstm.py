"""A language model of LSTM layers.

Mikolov 2010: Mikolov et al., "Recurrent neural network based language model", Interspeech 2010.
Press 2017: Press & Wolf, "Using the output embedding to improve language models", EACL 2017 (tied embedding).
"""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from asr_s2s.config import Layers, PartConfig, Width
from asr_s2s.models.tied import tied_logits

LstmState = tuple[Tensor, Tensor]  # hidden and cell, each (batch, beam, layer, channel)


class LstmLanguageModel(nn.Module):
    """LSTM layers over token embeddings, whose transposed table is the output layer (Mikolov 2010, Press 2017).

    A search calls it as it does a decoder: start, step, reorder, keep; states are values.
    """

    def __init__(self, vocabulary_size: int, *, embedding: int, channels: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, embedding)
        self.cells = nn.LSTM(embedding, channels, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0)
        self.output = nn.Linear(channels, embedding)
        self.dropout = nn.Dropout(dropout)
        nn.init.normal_(self.embedding.weight, std=embedding**-0.5)

    def forward(self, tokens: Tensor) -> Tensor:
        """Score what follows each token, given those up to it: (batch, token) to logits (batch, token, vocabulary)."""
        found, _ = self.cells(self.dropout(self.embedding(tokens)))
        return self._logits(found)

    def start(self, batch: int, *, device: torch.device) -> LstmState:
        """Return the state before the first token, with one hypothesis per utterance."""
        zeros = torch.zeros(batch, 1, self.cells.num_layers, self.cells.hidden_size, device=device)
        return zeros, zeros

    def step(self, tokens: Tensor, state: LstmState) -> tuple[Tensor, LstmState]:
        """Append one token (batch, beam) to each hypothesis: logits (batch, beam, vocabulary) of what follows."""
        given = tuple(part.flatten(0, 1).transpose(0, 1).contiguous() for part in state)
        found, moved = self.cells(self.embedding(tokens.flatten())[:, None], given)
        hidden, cell = (part.transpose(0, 1).unflatten(0, tokens.shape) for part in moved)
        return self._logits(found).view(*tokens.shape, -1), (hidden, cell)

    def reorder(self, state: LstmState, beams: Tensor) -> LstmState:
        """Gather hypotheses within each utterance: beams (batch, new beam) holds old beam indices, repeats allowed."""
        rows = torch.arange(beams.size(0), device=beams.device)[:, None]
        return state[0][rows, beams], state[1][rows, beams]

    def keep(self, state: LstmState, utterances: Tensor) -> LstmState:
        """Keep only the utterances (kept,) of the batch, in that order."""
        return state[0][utterances], state[1][utterances]

    def _logits(self, x: Tensor) -> Tensor:
        return tied_logits(self.output(self.dropout(x)), self.embedding.weight)


class LstmLanguageConfig(PartConfig):
    """An LSTM language model; `embedding` is the width of the tokens' table, `channels` that of the layers."""

    kind: Literal["lstm"]
    embedding: Width = 128  # width of a token's vector
    channels: Width = 512  # width of the layers
    layers: Layers = 2  # LSTM layers
    dropout: float = Field(default=0.2, ge=0, lt=1)  # in training

    def build(self, vocabulary_size: int) -> LstmLanguageModel:
        """Make the model."""
        return LstmLanguageModel(
            vocabulary_size,
            embedding=self.embedding,
            channels=self.channels,
            layers=self.layers,
            dropout=self.dropout,
        )
