"""A model directory's graphs in ONNX Runtime, with the weights from model.safetensors."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict

from asr_s2s.config import PartConfig, read_config
from asr_s2s.errors import CheckpointError
from asr_s2s.model_store.graphs import GraphFile, graph_path, made_for, read_graph
from asr_s2s.model_store.stored import CONFIG_FILE, WEIGHTS_FILE, check_complete, check_finite, open_weights
from asr_s2s.runtime import onnxruntime

Array = NDArray[Any]


class _Settings(PartConfig):
    """Of a configuration what a graph may hold, as plain data."""

    model_config = ConfigDict(extra="ignore")

    features: dict[str, Any] = {}
    model: dict[str, Any]


class OnnxSessions:
    """Graphs of one model, each made ready when it is first run.

    threads: that each graph computes in
    Raises CheckpointError where the folder holds no complete model, or a graph does not belong to it
    """

    def __init__(self, folder: Path, *, names: Sequence[str], optional: Sequence[str] = (), threads: int = 1) -> None:
        check_complete(folder)
        stored = open_weights(folder / WEIGHTS_FILE)
        settings = made_for(read_config(folder / CONFIG_FILE, _Settings).model_dump())
        self.folder = folder
        self._graphs = {
            name: read_graph(path, architecture=stored.architecture, settings=settings, shapes=stored.shapes)
            for name in (*names, *optional)
            if (path := graph_path(folder, name)).exists() or name in names
        }
        self._threads = threads
        weights = stored.read()
        check_finite(weights, origin=stored.path)
        wanted = {name for graph in self._graphs.values() for name in graph.weights}
        if foreign := sorted(name for name in wanted if weights[name].dtype != np.float32):
            raise CheckpointError(f"{stored.path}: holds no numbers with a point in {', '.join(foreign)}. Copy it again.")
        # onnxruntime computes with this memory, and does not hold it
        self._weights = {name: _value(weights[name]) for name in wanted}
        self._session = cache(self._made)

    def __contains__(self, name: str) -> bool:
        return name in self._graphs

    def metadata(self, name: str) -> Mapping[str, str]:
        """Give what a graph says of itself."""
        return self._graphs[name].metadata

    def inputs(self, name: str) -> dict[str, Sequence[int | str]]:
        """Give a graph's inputs and their shapes, in which axes that grow have names."""
        return {each.name: each.shape for each in self._session(name).get_inputs()}

    def outputs(self, name: str) -> list[str]:
        """List a graph's outputs."""
        return [each.name for each in self._session(name).get_outputs()]

    def run(self, name: str, given: Mapping[str, Array], wanted: Sequence[str]) -> dict[str, Array]:
        """Compute some outputs of a graph."""
        options = onnxruntime().RunOptions()
        options.only_execute_path_to_fetches = True
        feed = {key: _value(value) for key, value in given.items()}
        found = self._session(name).run_with_ort_values(list(wanted), feed, options)
        return {key: value.numpy() for key, value in zip(wanted, found, strict=True)}

    def _made(self, name: str) -> Any:
        graph: GraphFile = self._graphs[name]
        options = onnxruntime().SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = self._threads, 1
        options.log_severity_level = 3
        options.add_external_initializers(list(graph.weights), [self._weights[each] for each in graph.weights])
        try:
            return onnxruntime().InferenceSession(graph.content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has a class of its own for each kind, all of them plain exceptions
            path = graph_path(self.folder, name)
            raise CheckpointError(
                f"{path}: cannot be run ({str(error).splitlines()[0]}). "
                f"Make it anew: asr-s2s model export {self.folder} --graph."
            ) from error


def _value(array: Array) -> Any:
    return onnxruntime().OrtValue.ortvalue_from_numpy(np.ascontiguousarray(array))
