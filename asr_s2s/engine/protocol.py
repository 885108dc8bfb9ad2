"""What computes: one model behind a seam that tensors do not cross.

A search and a recogniser know this protocol and NumPy alone, so that a model may run in torch or in onnxruntime. What
crosses is small: lengths, the few best tokens of each hypothesis, the attention of each token of a text.

Axes are explicit: (batch, beam, ...). States are values: every call gives a new one, and the old one stays valid.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from asr_s2s.text import Vocabulary

Samples = NDArray[np.float32]
Tokens = NDArray[np.int64]
LogProbs = NDArray[np.float32]  # natural logarithms
Attention = NDArray[np.float32]  # shares that sum to one over the frames

FRAME_SECONDS = 0.01  # of a feature frame, whatever the front end

Texts = Sequence[Sequence[int]]  # tokens of each text, ragged

State = TypeVar("State")


@dataclass(frozen=True, slots=True)
class TokenRules:
    """The vocabulary's part in a search: how a sequence starts and ends, and what never stands in it.

    start_tokens are fed, never scored; suppressed_first is forbidden only as the first token after them.
    begin is the place of the one that begins a text: those before it are an earlier text. no_speech_token is what the
    model would say after it, before others, if nobody spoke.
    """

    start_tokens: tuple[int, ...]
    end_token: int
    suppressed: tuple[int, ...] = ()
    suppressed_first: tuple[int, ...] = ()
    blank_token: int | None = None
    no_speech_token: int | None = None
    begin: int = 0

    def forbidden(self, *, first: bool) -> tuple[int, ...]:
        """List what may not be the next token."""
        return self.suppressed + self.suppressed_first if first else self.suppressed


def token_rules(
    vocabulary: Vocabulary, *, language: str | None = None, task: str | None = None, previous: Sequence[int] = ()
) -> TokenRules:
    """Take from a vocabulary what a search must know of it.

    language, task: those that the start names, of the vocabulary's; None leaves the start as it is
    previous: the tokens of an earlier text, for a vocabulary with a place for it
    """
    named = [(vocabulary.language_tokens, language), (vocabulary.task_tokens, task)]
    tokens = {old: known[name] for known, name in named if name is not None and name in known for old in known.values()}
    earlier = (vocabulary.previous_token, *previous) if previous and vocabulary.previous_token is not None else ()
    return TokenRules(
        start_tokens=(*earlier, *(tokens.get(token, token) for token in vocabulary.start_tokens)),
        begin=len(earlier),
        end_token=vocabulary.end_token,
        suppressed=vocabulary.suppressed,
        suppressed_first=vocabulary.suppressed_first,
        blank_token=vocabulary.blank_token,
        no_speech_token=vocabulary.no_speech_token,
    )


@dataclass(frozen=True)
class Encoding:
    """The encoding of a batch.

    states: the engine's own; indexing it takes utterances
    lengths: (batch,), encoder frames of each utterance
    sound_lengths: (batch,), those that hold recorded sound, where the rest is silence that was added
    """

    states: Any
    lengths: NDArray[np.int64]
    sound_lengths: NDArray[np.int64]

    def __len__(self) -> int:
        """Count the utterances."""
        return len(self.lengths)

    def pick(self, utterances: Sequence[int]) -> "Encoding":
        """Take some utterances of the batch, in that order."""
        rows = np.asarray(utterances, np.int64)
        return replace(
            self, states=self.states[rows], lengths=self.lengths[rows], sound_lengths=self.sound_lengths[rows]
        )


class Scores(Protocol):
    """Log probabilities of the next token over the allowed ones, wherever they lie: (batch, beam, vocabulary)."""

    def top(self, count: int, *, gains: LogProbs | None = None) -> tuple[LogProbs, Tokens]:
        """Return the best tokens and their log probabilities, best first, both (batch, beam, count).

        gains: (batch, beam, vocabulary), what others add to the log probabilities; it counts for the choice alone
        """
        ...

    def at(self, tokens: Tokens) -> LogProbs:
        """Return the log probabilities of chosen tokens (batch, beam, n)."""
        ...


class NextTokens(Protocol[State]):
    """Scores what follows each hypothesis; `NextTokens[Any]` where the state is only handed on."""

    vocabulary_size: int

    def step(self, tokens: Tokens, state: State, *, forbidden: Sequence[int] = ()) -> tuple[Scores, State]:
        """Append one token (batch, beam) to each hypothesis and score what follows; the forbidden have no share."""
        ...

    def reorder(self, state: State, beams: Tokens) -> State:
        """Gather hypotheses within each utterance: beams (batch, new beam) holds old beam indices, repeats allowed."""
        ...

    def keep(self, state: State, utterances: Tokens) -> State:
        """Keep only the utterances (kept,) of the batch, in that order."""
        ...


class LanguageEngine(NextTokens[State], Protocol[State]):
    """Runs a language model over the tokens of a speech model."""

    def start(self, batch: int) -> State:
        """Return the state before the first token, with one hypothesis per utterance."""
        ...


@dataclass(frozen=True)
class Start(Generic[State]):
    """A state that was fed a prompt, and how probable the model finds it that nobody speaks, (batch,), if it knows."""

    state: State
    no_speech: LogProbs | None


class Engine(NextTokens[State], Protocol[State]):
    """Runs one speech model; it knows neither files nor words.

    max_tokens: the longest sequence, start tokens included, that can be scored; None: no limit
    window_seconds: that every recording is padded to, and may not exceed; None: it keeps its length
    has_ctc: whether ctc_log_probs may be called
    aligns: whether the attention is one alignment, an RNN decoder's or that of heads chosen for it
    """

    max_tokens: int | None
    window_seconds: float | None
    has_ctc: bool
    aligns: bool

    def frames(self, num_samples: Sequence[int]) -> NDArray[np.int64]:
        """Count the feature frames that recordings of so many samples become, (batch,): what they cost."""
        ...

    def features(self, samples: Samples) -> NDArray[np.float32]:
        """Return the features of one recording, for pictures: (time, mel) of the frames that hold sound."""
        ...

    def encode(self, samples: Sequence[Samples]) -> Encoding:
        """Encode recordings, each (time,) at 16 kHz; the result of one does not depend on the others."""
        ...

    def ctc_log_probs(self, encoding: Encoding) -> LogProbs:
        """Return CTC's log probabilities of each frame, (batch, time', vocabulary)."""
        ...

    def predicted_lengths(self, encoding: Encoding) -> NDArray[np.float32] | None:
        """Return the expected number of tokens, (batch,); None where the model does not predict it."""
        ...

    def start(self, encoding: Encoding, rules: TokenRules) -> Start[State]:
        """Feed all start tokens but the last, which the first step feeds; one hypothesis per utterance."""
        ...

    def read(self, encoding: Encoding, texts: Texts, rules: TokenRules) -> Scores:
        """Score each token of whole texts and what follows them at once, as steps would: (batch, token, vocabulary).

        texts: without start tokens, which the rules name; position 0 scores the first token, and what lies beyond the
            position after a text's last token means nothing
        """
        ...

    def attention(self, encoding: Encoding, texts: Texts, rules: TokenRules) -> list[Attention] | None:
        """Return the attention of each token of whole texts, (token, time'), in frames that hold sound.

        texts: without start tokens; returns None for a model without attention
        """
        ...
