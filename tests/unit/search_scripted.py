"""A decoder small enough to search exhaustively: what follows depends on the last two tokens and one encoder frame."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from asr_s2s.decoding import SearchConfig
from asr_s2s.engine import TokenRules
from asr_s2s.engine.torch_engine import TorchEngine
from asr_s2s.models import SpeechModel
from asr_s2s.models.decoders.protocol import DecoderOutput, StepOutput
from asr_s2s.search import ExternalScorer, Hypothesis, build_search
from asr_s2s.search.loops import SHORTEST_LOOP

BLANK, START, END, A, B = range(5)
SIZE = 5
END_SLOPE = 0.3
RULES = TokenRules(start_tokens=(START,), end_token=END, suppressed=(BLANK, START), blank_token=BLANK)


@dataclass(frozen=True)
class ScriptedState:
    """The last two tokens (batch, beam, 2), how many were fed, and the encoding, once per utterance."""

    last: Tensor
    fed: int
    encoder_out: Tensor
    encoder_lengths: Tensor


class ScriptedDecoder:
    """Logits = table[token before, token] + the encoder frame at this position.

    The end grows likelier by END_SLOPE with every token, so that sequences do end.
    """

    vocabulary_size = SIZE
    aligns = True

    def __init__(self, *, seed: int = 0, max_tokens: int | None = None, end_bias: float = 0.0) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.table = torch.randn(SIZE, SIZE, SIZE, generator=generator)
        self.table[..., END] += end_bias
        self.max_tokens = max_tokens
        self.batches: list[int] = []  # the batch size of every step

    def __call__(self, tokens, encoder_out, encoder_lengths, **_):
        state = self.start(encoder_out, encoder_lengths)
        logits = []
        for token in tokens.T:
            output = self.step(token.unsqueeze(1), state)
            state = output.state
            logits.append(output.logits[:, 0])
        return DecoderOutput(torch.stack(logits, 1), None)

    def start(self, encoder_out, encoder_lengths):
        last = torch.full((len(encoder_out), 1, 2), START)
        return ScriptedState(last, 0, encoder_out, encoder_lengths)

    def step(self, tokens, state):
        assert tokens.shape == state.last.shape[:2]
        self.batches.append(len(tokens))
        last = torch.stack([state.last[..., 1], tokens], -1)
        where = state.fed % state.encoder_lengths
        frames = state.encoder_out[torch.arange(len(where)), where, :SIZE]
        logits = self.table[last[..., 0], last[..., 1]] + frames.unsqueeze(1)
        logits[..., END] += END_SLOPE * state.fed
        fed = ScriptedState(last, state.fed + 1, state.encoder_out, state.encoder_lengths)
        return StepOutput(logits, None, fed)

    def reorder(self, state, beams):
        rows = torch.arange(len(beams)).unsqueeze(1)
        return ScriptedState(state.last[rows, beams], state.fed, state.encoder_out, state.encoder_lengths)

    def keep(self, state, utterances):
        return ScriptedState(
            state.last[utterances], state.fed, state.encoder_out[utterances], state.encoder_lengths[utterances]
        )


class ScriptedModel:
    """A scripted decoder, CTC scores in the other half of the encoder's channels, and a stated length, if any."""

    def __init__(self, decoder: ScriptedDecoder, *, ctc: bool = False, length: float | None = None) -> None:
        self.decoder = decoder
        self.ctc_head = nn.Identity() if ctc else None
        self.length = length

    def ctc_log_probs(self, encoder_out):
        return encoder_out[..., SIZE:].log_softmax(-1)

    def predict_lengths(self, encoder_out, _encoder_lengths):
        return None if self.length is None else torch.full((len(encoder_out),), self.length)


def searching(
    config: SearchConfig, model: SpeechModel, *, rules: TokenRules = RULES, scorers: Sequence[ExternalScorer] = ()
) -> Callable[..., list[Hypothesis]]:
    """Give the search of a configuration, in a model that torch runs; it takes encoder_out and lengths."""
    engine = TorchEngine(model, None)
    search = build_search(engine, rules, config, scorers=scorers)
    return lambda *encoded, **lengths: search(engine.encoding(*encoded, **lengths))


def encodings(*lengths: int, seed: int = 1) -> tuple[Tensor, Tensor]:
    """Random encoder_out (batch, time', 2 x vocabulary), zero beyond each length, and the lengths."""
    generator = torch.Generator().manual_seed(seed)
    encoder_out = torch.zeros(len(lengths), max(lengths), 2 * SIZE)
    for row, length in enumerate(lengths):
        encoder_out[row, :length] = torch.randn(length, 2 * SIZE, generator=generator)
    return encoder_out, torch.tensor(lengths)


def sequence_log_prob(model, tokens, encoder_out, encoder_lengths, *, rules: TokenRules = RULES) -> float:
    """Log probability of tokens and end for one utterance, by one teacher-forced pass under the rules."""
    return sequence_log_probs(model, [tokens], encoder_out, encoder_lengths, rules=rules)[0]


def sequence_log_probs(model, sequences, encoder_out, encoder_lengths, *, rules: TokenRules = RULES) -> list[float]:
    """The same for many sequences of one length."""
    count = len(sequences)
    fed = torch.tensor([[*rules.start_tokens, *tokens] for tokens in sequences])
    output = model.decoder(fed, encoder_out.expand(count, -1, -1), encoder_lengths.expand(count))
    logits = output.logits[:, len(rules.start_tokens) - 1 :]
    logits = logits.index_fill(-1, torch.tensor(rules.suppressed), -torch.inf)
    if rules.suppressed_first:
        logits[:, 0, list(rules.suppressed_first)] = -torch.inf
    scored = torch.tensor([[*tokens, rules.end_token] for tokens in sequences])
    return logits.log_softmax(-1).gather(-1, scored.unsqueeze(-1)).sum((1, 2)).tolist()


def all_sequences(longest: int) -> list[tuple[int, ...]]:
    """Every sequence over A and B up to a length, the empty one included."""
    return [letters for size in range(longest + 1) for letters in itertools.product((A, B), repeat=size)]


def prolongs_a_loop(tokens: Sequence[int], token: int, *, least: int) -> bool:
    """Say by definition whether an n-gram stands `least` times at the end and the token continues it."""
    for size in range(1, len(tokens) // least + 1):
        span = max(size * least, SHORTEST_LOOP)
        tail = tokens[-span:]
        stands = len(tail) == span and all(one == other for one, other in zip(tail[size:], tail, strict=False))
        if stands and token == tokens[-size]:
            return True
    return False
