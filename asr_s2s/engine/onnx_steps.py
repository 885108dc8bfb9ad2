"""Token after token in ONNX Runtime: what a decoder and a language model share.

Of a Transformer the keys and values of all tokens stay in the slots where they were written, and each hypothesis knows
which it sees: to reorder is to exchange that, and no keys are copied (models/decoders/transformer_state.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr_s2s.engine.int8 import LOGITS, LOGITS_SCALE
from asr_s2s.engine.numpy_scores import NumpyScores
from asr_s2s.engine.onnx_sessions import OnnxSessions
from asr_s2s.engine.protocol import Tokens
from asr_s2s.errors import ConfigError

Array = NDArray[Any]
Named = Mapping[str, Array]


@dataclass(frozen=True)
class OnnxState:
    """Where each hypothesis stands.

    memory: (batch, ...), what belongs to an utterance; beam: (batch, beam, ...), to a hypothesis
    slots: (batch, head, slot, channel), to tokens that were written
    visible: (batch, beam, slot), True at the tokens of a hypothesis; position: how many each has
    """

    memory: Named
    beam: Named
    slots: Named
    visible: NDArray[np.bool_]
    position: int = 0


class OnnxSteps:
    """Runs the graph `step`; see the protocol `NextTokens`."""

    def __init__(self, sessions: OnnxSessions, *, vocabulary_size: int, max_tokens: int | None = None) -> None:
        self._sessions = sessions
        self.vocabulary_size = vocabulary_size
        self.max_tokens = max_tokens
        self._inputs = sessions.inputs("step")
        self._outputs = sessions.outputs("step")
        self._moving = [name for name in self._inputs if f"new_{name}" in self._outputs]
        self._scores = [name for name in (LOGITS, LOGITS_SCALE) if name in self._outputs]
        self.has_attention = "attention" in self._outputs

    def first(self, batch: int, given: Named) -> OnnxState:
        """Return the state before the first token: what was given, zeros, and no slot."""
        sizes: dict[int | str, int] = {"batch": batch, "beam": 1, "slot": 0}
        known = dict(given)
        for name in self._moving:
            if name not in given:
                known[name] = np.zeros([int(sizes.get(size, size)) for size in self._inputs[name]], np.float32)
        memory, beam, slots = (
            {name: value for name, value in known.items() if name.startswith(kind) and name in self._inputs}
            for kind in ("memory", "beam", "slots")
        )
        return OnnxState(memory, beam, slots, visible=np.zeros((batch, 1, 0), np.bool_))

    def step(self, tokens: Tokens, state: OnnxState, *, forbidden: Sequence[int] = ()) -> tuple[NumpyScores, OnnxState]:
        """Append one token to each hypothesis and score what follows."""
        batch, beam = tokens.shape
        own = np.broadcast_to(np.eye(beam, dtype=np.bool_), (batch, beam, beam))
        found, state = self._run(tokens, np.concatenate([state.visible, own], axis=2), state, self._scores)
        scores = NumpyScores(*(found[name] for name in self._scores))
        scores.forbid(forbidden)
        return scores, state

    def feed(self, tokens: Tokens, state: OnnxState) -> tuple[NumpyScores, OnnxState]:
        """Append tokens (batch, token), one after another, to the only hypothesis of each utterance, and score each."""
        found, state = self._fed(tokens, state, self._scores)
        return NumpyScores(*found), state

    def attention(self, tokens: Tokens, state: OnnxState) -> Array:
        """Return what each of some tokens looks at, (batch, token, time'), where `has_attention`."""
        (found,), _ = self._fed(tokens, state, ["attention"])
        return found

    def _fed(self, tokens: Tokens, state: OnnxState, wanted: Sequence[str]) -> tuple[list[Array], OnnxState]:
        batch, count = tokens.shape
        if not state.slots:
            steps = []
            for place in range(count):
                output, state = self._run(tokens[:, place : place + 1], state.visible, state, wanted)
                steps.append([output[name] for name in wanted])
            return [np.concatenate(each, axis=1) for each in zip(*steps, strict=True)], state
        seen = np.repeat(state.visible, count, axis=1)
        own = np.broadcast_to(np.tri(count, dtype=np.bool_), (batch, count, count))
        output, state = self._run(tokens, np.concatenate([seen, own], axis=2), state, wanted)
        return [output[name] for name in wanted], replace(state, visible=state.visible[:, -1:])

    def reorder(self, state: OnnxState, beams: Tokens) -> OnnxState:
        """Gather hypotheses within each utterance."""
        rows = np.arange(len(beams))[:, None]
        beam = {name: value[rows, beams] for name, value in state.beam.items()}
        return _without_dead_slots(replace(state, beam=beam, visible=state.visible[rows, beams]))

    def keep(self, state: OnnxState, utterances: Tokens) -> OnnxState:
        """Keep only some utterances of the batch."""
        memory, beam, slots = (
            {name: value[utterances] for name, value in part.items()}
            for part in (state.memory, state.beam, state.slots)
        )
        return OnnxState(memory, beam, slots, state.visible[utterances], state.position)

    def _run(
        self, tokens: Tokens, visible: NDArray[np.bool_], state: OnnxState, wanted: Sequence[str]
    ) -> tuple[dict[str, Array], OnnxState]:
        position = int(visible[0, -1].sum()) if state.slots else state.position + 1
        if self.max_tokens is not None and position > self.max_tokens:
            raise ConfigError(
                f"model.decoder.max_tokens is {self.max_tokens}, but a sequence has {position} tokens. "
                "Cut the utterance into shorter pieces, or train with a larger max_tokens."
            )
        given = {"tokens": tokens, "visible": visible, **state.memory, **state.beam, **state.slots}
        found = self._sessions.run("step", given, [*wanted, *(f"new_{name}" for name in self._moving)])
        beam, slots = (
            {name: found.get(f"new_{name}", value) for name, value in part.items()}
            for part in (state.beam, state.slots)
        )
        return found, OnnxState(state.memory, beam, slots, visible, position)


def _without_dead_slots(state: OnnxState) -> OnnxState:
    """Drop slots that no hypothesis sees once they are half of all: beams soon share all but their last tokens."""
    living = state.visible.any(axis=1)  # (batch, slot)
    most = int(living.sum(axis=1).max(initial=0))
    if not state.slots or 2 * most > living.shape[1]:
        return state
    places = np.argsort(~living, axis=1, kind="stable")[:, :most]
    slots = {
        name: np.stack([each.take(place, axis=1) for each, place in zip(value, places, strict=True)])
        for name, value in state.slots.items()
    }
    return replace(state, slots=slots, visible=np.take_along_axis(state.visible, places[:, None], axis=2))
