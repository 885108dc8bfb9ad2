"""A model made ready in ONNX Runtime, without torch."""

import math
from functools import partial
from pathlib import Path

from asr_s2s.engine.int8 import has_int8_units
from asr_s2s.engine.onnx_engine import OnnxEngine
from asr_s2s.engine.onnx_language import OnnxLanguageEngine
from asr_s2s.errors import ConfigError
from asr_s2s.model_store import OpenedModel
from asr_s2s.model_store.stored import WEIGHTS_FILE, open_weights
from asr_s2s.recognizer.model import ReadyModel

# Weights of a model whose batches are computed one in each thread. In threads of their own 120 clips took a third less
# time than with two threads an operator: decoding has many small operators.
LARGE = 100_000_000


def in_onnx(model: OpenedModel, *, threads: int = 1, precision: str = "float32") -> ReadyModel:
    """Load a model's graphs and weights.

    threads: in which batches are computed, one in each; all of them compute each batch of a large model, of which one
        alone would take long
    precision: 'float32'; 'int8', for products with weights; or 'auto', int8 where the processor has units for it
    Raises ConfigError for int8 where it has none, CheckpointError where graphs are missing, or are not those of the
        weights
    """
    has_units = has_int8_units()
    if precision == "int8" and not has_units:
        raise ConfigError("precision 'int8': this processor has no units for it (VNNI). Take float32.")
    lanes, threads = (threads, 1) if _num_weights(model) <= LARGE else (1, threads)
    return ReadyModel(
        name=model.name,
        vocabulary=model.vocabulary,
        search=model.search,
        engine=OnnxEngine(model.folder, threads=threads, int8=has_units and precision != "float32"),
        open_language=partial(_language, threads=threads),
        lanes=lanes,
    )


def _num_weights(model: OpenedModel) -> int:
    return sum(math.prod(shape) for shape in open_weights(model.folder / WEIGHTS_FILE).shapes.values())


def _language(folder: Path, *, threads: int) -> OnnxLanguageEngine:
    return OnnxLanguageEngine(folder, threads=threads)
