"""Recurrent decoder with attention: each step reads the last token and the last context, then looks at the encoding.

Chan et al. 2016, "Listen, attend and spell", section 3.2: the context is fed to the next step.
Luong, Pham, Manning 2015, "Effective approaches to attention-based neural machine translation", equation 5: the output.
"""

import math
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from asr_s2s.config import Layers, PartConfig, Width
from asr_s2s.models.attention.memory import Attention, Memory, first_history, next_history
from asr_s2s.models.attention.none import NoAttention
from asr_s2s.models.decoders.protocol import DecoderOutput, StepOutput
from asr_s2s.models.tied import tied_logits

Fraction = Annotated[float, Field(ge=0.0, lt=1.0)]


@dataclass(frozen=True, slots=True)
class RnnState:
    """Where each hypothesis stands; the memory is stored once per utterance.

    layers: for each layer (hidden, cell) of an LSTM or (hidden,) of a GRU, each (batch, beam, channel)
    context: (batch, beam, channel), what the last step saw
    history: (batch, beam, 2, time), the last weights and the sum of all
    """

    layers: tuple[tuple[Tensor, ...], ...]
    context: Tensor
    history: Tensor
    memory: Memory


class RnnDecoder(nn.Module):
    """Scores tokens with LSTM or GRU cells and an attention.

    tied: the embedding serves as the output layer too
    token_dropout: share of the tokens hidden from the cells in training, so that they must listen, not guess
    """

    max_tokens: int | None = None

    def __init__(
        self,
        encoder_channels: int,
        vocabulary_size: int,
        attention: Attention,
        *,
        cell: type[nn.LSTMCell] | type[nn.GRUCell],
        layers: int,
        channels: int,
        embedding: int,
        dropout: float,
        token_dropout: float,
        tied: bool,
    ) -> None:
        super().__init__()
        self.vocabulary_size = vocabulary_size
        self.channels = channels
        self.encoder_norm = nn.LayerNorm(encoder_channels)  # energies start at the same size whatever the encoder
        self.attention = attention
        self.aligns = not isinstance(attention, NoAttention)
        self.embedding = nn.Embedding(vocabulary_size, embedding)
        nn.init.normal_(self.embedding.weight, std=1 / math.sqrt(embedding))
        inputs = [embedding + attention.channels, *[channels] * (layers - 1)]
        self.cells = nn.ModuleList([cell(width, channels) for width in inputs])
        for made in self.cells:
            _initialise(made, channels)
        self.combine = nn.Linear(channels + attention.channels, embedding if tied else channels)
        self.output = None if tied else nn.Linear(channels, vocabulary_size)
        self.dropout = nn.Dropout(dropout)
        self.token_dropout = nn.Dropout1d(token_dropout)

    def forward(
        self, tokens: Tensor, encoder_out: Tensor, encoder_lengths: Tensor, *, with_attention: bool = False
    ) -> DecoderOutput:
        """Score whole sequences, step by step as the search does, with the given tokens as history.

        tokens: (batch, token), start tokens included; encoder_out: (batch, time, channel); encoder_lengths: (batch,)
        returns: logits (batch, token, vocabulary), attention (batch, token, time) if asked for and there is one
        """
        state = self.start(encoder_out, encoder_lengths)
        seen: list[Tensor] = []
        looked: list[Tensor] = []
        for embedded in torch.split(self._embed(tokens), 1, dim=1):
            weights, state = self._advance(embedded, state)
            seen.append(self._summary(state))
            if with_attention and weights is not None:
                looked.append(weights)
        return DecoderOutput(self._logits(torch.cat(seen, dim=1)), torch.cat(looked, dim=1) if looked else None)

    def start(self, encoder_out: Tensor, encoder_lengths: Tensor) -> RnnState:
        """Return the state before the first start token: zeros, one hypothesis per utterance."""
        memory = self.attention.memory(self.encoder_norm(encoder_out), encoder_lengths)
        hidden = encoder_out.new_zeros(encoder_out.size(0), 1, self.channels)
        parts = 2 if isinstance(self.cells[0], nn.LSTMCell) else 1
        return RnnState(
            layers=((hidden,) * parts,) * len(self.cells),
            context=encoder_out.new_zeros(encoder_out.size(0), 1, self.attention.channels),
            history=first_history(memory.valid_frames),
            memory=memory,
        )

    def step(self, tokens: Tensor, state: RnnState, *, with_attention: bool = False) -> StepOutput[RnnState]:
        """Append one token (batch, beam) to each hypothesis and score what follows."""
        weights, state = self._advance(self._embed(tokens), state)
        return StepOutput(self._logits(self._summary(state)), weights if with_attention else None, state)

    def reorder(self, state: RnnState, beams: Tensor) -> RnnState:
        """Gather hypotheses within each utterance: beams (batch, new beam) holds old beam indices."""
        rows = torch.arange(beams.size(0), device=beams.device)[:, None]
        return _select(state, (rows, beams))

    def keep(self, state: RnnState, utterances: Tensor) -> RnnState:
        """Keep only the utterances (kept,) of the batch, in that order."""
        return replace(_select(state, (utterances,)), memory=state.memory.keep(utterances))

    def _embed(self, tokens: Tensor) -> Tensor:
        """(batch, position) to (batch, position, embedding)."""
        embedded = self.embedding(tokens) * math.sqrt(self.embedding.embedding_dim)  # started at 1/sqrt(channel)
        dropped: Tensor = self.dropout(self.token_dropout(embedded))
        return dropped

    def _advance(self, embedded: Tensor, state: RnnState) -> tuple[Tensor | None, RnnState]:
        """Move every hypothesis by one token (batch, beam, embedding): cells first, then the look at the encoding."""
        x = torch.cat((embedded, state.context), dim=2)
        layers = []
        for cell, layer in zip(self.cells, state.layers, strict=True):
            layers.append(_next(cell, x, layer))
            x = self.dropout(layers[-1][0])
        query = layers[-1][0]
        context, weights = self.attention(query, state.memory, state.history)
        history = state.history if weights is None else next_history(state.history, weights)
        return weights, RnnState(tuple(layers), context, history, state.memory)

    def _summary(self, state: RnnState) -> Tensor:
        """Join what the output layer needs: the top layer's hidden state and the context (batch, beam, channel)."""
        return torch.cat((state.layers[-1][0], state.context), dim=2)

    def _logits(self, summary: Tensor) -> Tensor:
        """(batch, position, channel) to (batch, position, vocabulary); Luong et al. 2015, equation 5."""
        x = self.dropout(torch.tanh(self.combine(self.dropout(summary))))
        logits: Tensor = tied_logits(x, self.embedding.weight) if self.output is None else self.output(x)
        return logits


def _next(cell: nn.Module, x: Tensor, layer: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Run one cell for every hypothesis: x (batch, beam, channel), the layer's parts (batch, beam, channel)."""
    rows = [part.flatten(0, 1) for part in layer]
    moved = cell(x.flatten(0, 1), tuple(rows)) if len(rows) > 1 else (cell(x.flatten(0, 1), rows[0]),)
    return tuple(part.unflatten(0, x.shape[:2]) for part in moved)


def _select(state: RnnState, index: tuple[Tensor, ...]) -> RnnState:
    """Index all that belongs to hypotheses, along (batch, beam) or (batch,)."""
    return replace(
        state,
        layers=tuple(tuple(part[index] for part in layer) for layer in state.layers),
        context=state.context[index],
        history=state.history[index],
    )


def _initialise(cell: nn.Module, channels: int) -> None:
    """Start each gate's recurrence as a rotation and an LSTM's forget gates open.

    Saxe et al. 2014, "Exact solutions to the nonlinear dynamics of learning in deep linear networks"; Jozefowicz et al.
    2015, "An empirical exploration of recurrent network architectures" (forget bias of one).
    """
    assert isinstance(cell, nn.LSTMCell | nn.GRUCell)
    for gate in range(0, cell.weight_hh.size(0), channels):
        nn.init.orthogonal_(cell.weight_hh[gate : gate + channels])
        nn.init.xavier_uniform_(cell.weight_ih[gate : gate + channels])
    nn.init.zeros_(cell.bias_ih)
    nn.init.zeros_(cell.bias_hh)
    if isinstance(cell, nn.LSTMCell):
        nn.init.ones_(cell.bias_ih[channels : 2 * channels])  # torch's order of gates: input, forget, cell, output


class RnnConfig(PartConfig):
    """Recurrent decoder with an attention (model.attention)."""

    kind: Literal["rnn"]
    cell: Literal["lstm", "gru"] = "lstm"  # recurrent cell
    layers: Layers = 1  # recurrent layers
    channels: Width = 256  # width of the state
    embedding: Width = 128  # width of a token's vector
    dropout: Fraction = 0.1  # in training
    token_dropout: Fraction = 0.0  # share of the previous tokens hidden in training
    tied: bool = False  # use the embedding as the output layer too

    def build(self, encoder_channels: int, vocabulary_size: int, attention: Attention) -> RnnDecoder:
        """Make the decoder around an attention built for queries of self.channels and an encoding of this width."""
        return RnnDecoder(
            encoder_channels,
            vocabulary_size,
            attention,
            cell=nn.LSTMCell if self.cell == "lstm" else nn.GRUCell,
            layers=self.layers,
            channels=self.channels,
            embedding=self.embedding,
            dropout=self.dropout,
            token_dropout=self.token_dropout,
            tied=self.tied,
        )
