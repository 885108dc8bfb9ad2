"""Runs a language model in ONNX Runtime, from the graph and weights of its directory."""

from pathlib import Path

from asr_s2s.engine.onnx_sessions import OnnxSessions
from asr_s2s.engine.onnx_steps import OnnxState, OnnxSteps


class OnnxLanguageEngine(OnnxSteps):
    """See the protocol `LanguageEngine`.

    Raises CheckpointError where the folder holds no complete model, or its graph is missing or not its own
    """

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        sessions = OnnxSessions(folder, names=("step",), threads=threads)
        super().__init__(sessions, vocabulary_size=int(sessions.number("step", "vocabulary_size") or 0))

    def start(self, batch: int) -> OnnxState:
        """Return the state before the first token."""
        return self.first(batch, {})
