"""Runs a speech model in torch: every model, on a processor or a graphics card, in float32 or bfloat16."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from asr_s2s.engine.groups import groups
from asr_s2s.engine.protocol import (
    FRAME_SECONDS,
    Attention,
    Encoding,
    LogProbs,
    Samples,
    Start,
    Texts,
    TokenRules,
    Tokens,
)
from asr_s2s.engine.texts import padded, padded_but_last, without_padding
from asr_s2s.features import FrontEnd
from asr_s2s.models import SpeechModel

ENCODED_SECONDS = 40.0  # of frames that are encoded at once: more do not fit the processor's cache

Method = TypeVar("Method", bound=Callable[..., Any])


@dataclass(frozen=True)
class TorchScores:
    """Log probabilities (batch, beam, vocabulary), float32, on the engine's device; see the protocol `Scores`."""

    log_probs: Tensor

    @classmethod
    def of(cls, logits: Tensor, forbidden: Sequence[int]) -> "TorchScores":
        """Share probability out among the tokens that are not forbidden."""
        if not forbidden:
            return cls(logits.log_softmax(-1, dtype=torch.float32))
        logits = logits.to(torch.float32, copy=True)
        logits.index_fill_(-1, torch.tensor(forbidden, device=logits.device), -torch.inf)
        return cls(logits.log_softmax(-1))

    def top(self, count: int, *, gains: LogProbs | None = None) -> tuple[LogProbs, Tokens]:
        """Return the best tokens and their log probabilities."""
        wanted = self.log_probs
        if gains is not None:
            wanted = wanted + torch.from_numpy(gains).to(wanted.device)
        tokens = wanted.topk(count, dim=-1).indices
        return self.log_probs.gather(-1, tokens).cpu().numpy(), tokens.cpu().numpy()

    def at(self, tokens: Tokens) -> LogProbs:
        """Return the log probabilities of chosen tokens."""
        chosen = torch.tensor(tokens, device=self.log_probs.device)
        return self.log_probs.gather(-1, chosen).cpu().numpy()


def _computing(method: Method) -> Method:
    """Let a method compute without gradients, in the engine's arithmetic."""

    @wraps(method)
    def run(self: "TorchEngine", *arguments: Any, **options: Any) -> Any:
        with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            return method(self, *arguments, **options)

    return cast("Method", run)


class TorchEngine:
    """See the protocol `Engine`; a state is the decoder's own.

    front_end: None where nothing is encoded from samples, as in training
    bfloat16: multiply in bfloat16; normalisation and softmax stay in float32
    """

    def __init__(
        self,
        model: SpeechModel,
        front_end: FrontEnd | None,
        *,
        device: torch.device | None = None,
        bfloat16: bool = False,
    ) -> None:
        self.model, self.front_end = model, front_end
        self.device = device or torch.device("cpu")
        self.bfloat16 = bfloat16
        self.vocabulary_size: int = model.decoder.vocabulary_size
        self.max_tokens: int | None = model.decoder.max_tokens
        self.has_ctc = model.ctc_head is not None
        self.aligns: bool = model.decoder.aligns
        self.window_seconds: float | None = None if front_end is None else front_end.window_seconds

    def frames(self, num_samples: Sequence[int]) -> NDArray[np.int64]:
        """Count the feature frames of recordings."""
        return np.asarray(self._front_end.lengths(torch.tensor(num_samples)).numpy())

    @_computing
    def encode(self, samples: Sequence[Samples]) -> Encoding:
        """Encode recordings, a few of like length at once: little padding, and what is computed stays in the cache."""
        parts = [self._encoded(samples[first:end]) for first, end in self._groups(samples)]
        states = pad_sequence([state for part in parts for state in part[0]], batch_first=True)
        return self.encoding(states, *(torch.cat([part[place] for part in parts]) for place in (1, 2)))

    def encoding(self, encoder_out: Tensor, encoder_lengths: Tensor, sound_lengths: Tensor | None = None) -> Encoding:
        """Take what the model's encoder gave: (batch, time', channel), (batch,) and (batch,)."""
        lengths = encoder_lengths.cpu().numpy()
        return Encoding(encoder_out, lengths, lengths if sound_lengths is None else sound_lengths.cpu().numpy())

    @_computing
    def ctc_log_probs(self, encoding: Encoding) -> LogProbs:
        """Return CTC's log probabilities of each frame."""
        return self.model.ctc_log_probs(encoding.states).cpu().numpy()

    @_computing
    def predicted_lengths(self, encoding: Encoding) -> NDArray[np.float32] | None:
        """Return the expected number of tokens."""
        predicted = self.model.predict_lengths(encoding.states, self._lengths(encoding))
        return None if predicted is None else predicted.float().cpu().numpy()

    @_computing
    def start(self, encoding: Encoding, rules: TokenRules) -> Start[Any]:
        """Feed all start tokens but the last."""
        state = self.model.decoder.start(encoding.states, self._lengths(encoding))
        silent = None
        for place, token in enumerate(rules.start_tokens[:-1]):
            output = self.model.decoder.step(torch.full((len(encoding), 1), token, device=self.device), state)
            state = output.state
            if place == rules.begin and rules.no_speech_token is not None:
                silent = output.logits[:, 0].float().softmax(-1)[:, rules.no_speech_token].cpu().numpy()
        return Start(state, silent)

    @_computing
    def step(self, tokens: Tokens, state: Any, *, forbidden: Sequence[int] = ()) -> tuple[TorchScores, Any]:
        """Append one token to each hypothesis and score what follows."""
        output = self.model.decoder.step(torch.from_numpy(tokens).to(self.device), state)
        return TorchScores.of(output.logits, forbidden), output.state

    @_computing
    def reorder(self, state: Any, beams: Tokens) -> Any:
        """Gather hypotheses within each utterance."""
        return self.model.decoder.reorder(state, torch.from_numpy(beams).to(self.device))

    @_computing
    def keep(self, state: Any, utterances: Tokens) -> Any:
        """Keep only some utterances of the batch."""
        return self.model.decoder.keep(state, torch.from_numpy(utterances).to(self.device))

    @_computing
    def read(self, encoding: Encoding, texts: Texts, rules: TokenRules) -> TorchScores:
        """Score each token of whole texts and what follows them at once."""
        tokens = torch.from_numpy(padded(texts, rules)).to(self.device)
        output = self.model.decoder(tokens, encoding.states, self._lengths(encoding))
        logits = output.logits[:, len(rules.start_tokens) - 1 :]
        first, others = (TorchScores.of(part, rules.forbidden(first=is_first))
                         for part, is_first in ((logits[:, :1], True), (logits[:, 1:], False)))  # fmt: skip
        return TorchScores(torch.cat([first.log_probs, others.log_probs], dim=1))

    @_computing
    def attention(self, encoding: Encoding, texts: Texts, rules: TokenRules) -> list[Attention] | None:
        """Return the attention of each token of whole texts."""
        tokens = torch.from_numpy(padded_but_last(texts, rules)).to(self.device)
        output = self.model.decoder(tokens, encoding.states, self._lengths(encoding), with_attention=True)
        if output.attention is None:
            return None
        return without_padding(output.attention.float().cpu().numpy(), texts, encoding, rules)

    @_computing
    def features(self, samples: Samples) -> NDArray[np.float32]:
        """Return the features of one recording: (time, mel), of the frames that hold sound."""
        lengths = torch.tensor([len(samples)], device=self.device)
        found, _ = self._front_end(torch.from_numpy(samples)[None].to(self.device), lengths)
        return np.asarray(found[0, : int(self._front_end.sound_lengths(lengths))].float().cpu().numpy())

    @property
    def _front_end(self) -> FrontEnd:
        assert self.front_end is not None, "an engine without a front end encodes no samples"
        return self.front_end

    def _groups(self, samples: Sequence[Samples]) -> Iterator[tuple[int, int]]:
        seconds = self.frames([len(each) for each in samples]) * FRAME_SECONDS
        return groups(seconds.tolist(), ENCODED_SECONDS)

    def _encoded(self, samples: Sequence[Samples]) -> tuple[Tensor, Tensor, Tensor]:
        """Return encoder_out (batch, time', channel), encoder_lengths and sound_lengths (batch,)."""
        padded = pad_sequence([torch.from_numpy(each) for each in samples], batch_first=True).to(self.device)
        lengths = torch.tensor([len(each) for each in samples], device=self.device)
        encoder_out, encoder_lengths = self.model.encode(*self._front_end(padded, lengths))
        return (
            encoder_out,
            encoder_lengths,
            self.model.encoder.output_lengths(self._front_end.sound_lengths(lengths)),
        )

    def _lengths(self, encoding: Encoding) -> Tensor:
        return torch.from_numpy(encoding.lengths).to(self.device)
