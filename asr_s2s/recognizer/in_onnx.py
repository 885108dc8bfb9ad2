"""A model made ready in ONNX Runtime, without torch."""

from functools import partial
from pathlib import Path

from asr_s2s.engine.onnx_engine import OnnxEngine
from asr_s2s.engine.onnx_language import OnnxLanguageEngine
from asr_s2s.model_store import OpenedModel
from asr_s2s.recognizer.model import ReadyModel


def in_onnx(model: OpenedModel, *, threads: int = 1) -> ReadyModel:
    """Load a model's graphs and weights.

    threads: that each operator computes in
    Raises CheckpointError where graphs are missing, or are not those of the weights
    """
    return ReadyModel(
        name=model.name,
        vocabulary=model.vocabulary,
        search=model.search,
        engine=OnnxEngine(model.folder, threads=threads),
        open_language=partial(_language, threads=threads),
    )


def _language(folder: Path, *, threads: int) -> OnnxLanguageEngine:
    return OnnxLanguageEngine(folder, threads=threads)
