"""Runs a speech model in ONNX Runtime, from the graphs and weights of its directory, on a processor, without torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr_s2s.engine.numpy_scores import NumpyScores
from asr_s2s.engine.onnx_sessions import OnnxSessions
from asr_s2s.engine.onnx_steps import OnnxState, OnnxSteps
from asr_s2s.engine.protocol import Attention, Encoding, LogProbs, Samples, Start, Texts, TokenRules, Tokens
from asr_s2s.engine.texts import padded, padded_but_last, without_padding
from asr_s2s.errors import AudioError

SAMPLE_RATE = 16_000


@dataclass(frozen=True)
class _States:
    """The states of an encoding: encoder_out (batch, time', channel), and what a search makes of it once."""

    encoder_out: NDArray[np.float32]
    memory: Mapping[str, NDArray[Any]]

    def __getitem__(self, rows: NDArray[np.int64]) -> "_States":
        return _States(self.encoder_out[rows], {name: each[rows] for name, each in self.memory.items()})


class OnnxEngine:
    """See the protocol `Engine`.

    folder: a model directory with graphs; threads: that each operator computes in
    int8: multiply with weights in 8-bit integers, which is quicker and a little less exact (engine/int8.py)
    Raises CheckpointError where the folder holds no complete model, or its graphs are missing or not its own
    """

    def __init__(self, folder: Path, *, threads: int = 1, int8: bool = False) -> None:
        self._sessions = OnnxSessions(
            folder,
            names=("lengths", "encoder", "start", "step"),
            optional=("heads",),
            threads=threads,
            int8=int8,
        )
        facts = ("vocabulary_size", "max_tokens", "window_seconds", "aligns")
        size, most, window, aligns = (self._sessions.number("step", fact) for fact in facts)
        self.vocabulary_size, self.max_tokens = int(size or 0), int(most) if most else None
        self.window_seconds, self.aligns = window, bool(aligns)
        self._steps = OnnxSteps(self._sessions, vocabulary_size=self.vocabulary_size, max_tokens=self.max_tokens)
        heads = self._sessions.outputs("heads") if "heads" in self._sessions else []
        self.has_ctc = "ctc_log_probs" in heads
        self._predicts_lengths = "predicted_lengths" in heads

    def frames(self, num_samples: Sequence[int]) -> NDArray[np.int64]:
        """Count the feature frames of recordings."""
        return self._sessions.run("lengths", {"sample_lengths": np.asarray(num_samples, np.int64)}, ["lengths"])[
            "lengths"
        ]

    def encode(self, samples: Sequence[Samples]) -> Encoding:
        """Encode recordings, one by one: several at once take as long, and each is encoded as if it were alone."""
        parts = [self._encoded(each) for each in samples]
        found = [part["encoder_out"][0] for part in parts]
        states = np.zeros((len(found), max(map(len, found)), found[0].shape[1]), np.float32)
        for row, each in zip(states, found, strict=True):
            row[: len(each)] = each
        lengths, sound_lengths = (
            np.concatenate([part[name] for part in parts]) for name in ("encoder_lengths", "sound_lengths")
        )
        given = {"encoder_out": states, "encoder_lengths": lengths}
        memory = self._sessions.run("start", given, self._sessions.outputs("start"))
        return Encoding(_States(states, memory), lengths, sound_lengths)

    def features(self, samples: Samples) -> NDArray[np.float32]:
        """Return the features of one recording: (time, mel), of the frames that hold sound."""
        given = {"samples": samples[None], "sample_lengths": np.array([len(samples)])}
        found = self._sessions.run("encoder", given, ["features", "sound_frames"])
        return found["features"][0, : int(found["sound_frames"][0])]

    def ctc_log_probs(self, encoding: Encoding) -> LogProbs:
        """Return CTC's log probabilities of each frame."""
        return self._heads(encoding, "ctc_log_probs")

    def predicted_lengths(self, encoding: Encoding) -> NDArray[np.float32] | None:
        """Return the expected number of tokens."""
        return self._heads(encoding, "predicted_lengths") if self._predicts_lengths else None

    def start(self, encoding: Encoding, rules: TokenRules) -> Start[OnnxState]:
        """Feed all start tokens but the last."""
        state, fed = self._begun(encoding), rules.start_tokens[:-1]
        if not fed:
            return Start(state, None)
        tokens = np.tile(np.asarray(fed, np.int64), (len(encoding), 1))
        scores, state = self._steps.feed(tokens, state)
        if rules.no_speech_token is None or rules.begin == len(fed):
            return Start(state, None)
        asked = np.full((len(encoding), 1, 1), rules.no_speech_token)
        return Start(state, np.exp(scores.between(rules.begin, rules.begin + 1).at(asked)[:, 0, 0]))

    def step(self, tokens: Tokens, state: OnnxState, *, forbidden: Sequence[int] = ()) -> tuple[NumpyScores, OnnxState]:
        """Append one token to each hypothesis and score what follows."""
        return self._steps.step(tokens, state, forbidden=forbidden)

    def reorder(self, state: OnnxState, beams: Tokens) -> OnnxState:
        """Gather hypotheses within each utterance."""
        return self._steps.reorder(state, beams)

    def keep(self, state: OnnxState, utterances: Tokens) -> OnnxState:
        """Keep only some utterances of the batch."""
        return self._steps.keep(state, utterances)

    def read(self, encoding: Encoding, texts: Texts, rules: TokenRules) -> NumpyScores:
        """Score each token of whole texts and what follows them at once."""
        fed, _ = self._steps.feed(padded(texts, rules), self._begun(encoding))
        scores = fed.between(len(rules.start_tokens) - 1)
        scores.between(0, 1).forbid(rules.forbidden(first=True))
        scores.between(1).forbid(rules.forbidden(first=False))
        return scores

    def attention(self, encoding: Encoding, texts: Texts, rules: TokenRules) -> list[Attention] | None:
        """Return the attention of each token of whole texts."""
        if not self._steps.has_attention:
            return None
        found = self._steps.attention(padded_but_last(texts, rules), self._begun(encoding))
        return without_padding(found, texts, encoding, rules)

    def _encoded(self, samples: Samples) -> dict[str, NDArray[Any]]:
        self._check_window(len(samples))
        given = {"samples": samples[None], "sample_lengths": np.array([len(samples)])}
        return self._sessions.run("encoder", given, ["encoder_out", "encoder_lengths", "sound_lengths"])

    def _check_window(self, num_samples: int) -> None:
        if self.window_seconds is not None and num_samples > self.window_seconds * SAMPLE_RATE:
            raise AudioError(
                f"an utterance of {num_samples / SAMPLE_RATE:.2f} s does not fit into the {self.window_seconds:g} s "
                "that the front end pads to. Cut it into shorter pieces first."
            )

    def _heads(self, encoding: Encoding, name: str) -> NDArray[np.float32]:
        given = {"encoder_out": encoding.states.encoder_out, "encoder_lengths": encoding.lengths}
        return self._sessions.run("heads", given, [name])[name]

    def _begun(self, encoding: Encoding) -> OnnxState:
        return self._steps.first(len(encoding), encoding.states.memory)
