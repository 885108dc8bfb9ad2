"""A model directory's graphs in ONNX Runtime, with the weights from model.safetensors."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field

from asr_s2s.config import PartConfig, read_config
from asr_s2s.engine.int8 import in_int8
from asr_s2s.errors import CheckpointError, listed
from asr_s2s.model_store.graphs import GraphFile, graph_path, made_for, read_graph
from asr_s2s.model_store.stored import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    StoredWeights,
    check_complete,
    check_finite,
    open_weights,
)
from asr_s2s.runtime import onnxruntime

Array = NDArray[Any]


class _Settings(PartConfig):
    """Of a configuration what a graph may hold, as plain data."""

    model_config = ConfigDict(extra="ignore")

    input: dict[str, Any] = Field(default_factory=dict)
    model: dict[str, Any]


class OnnxSessions:
    """Graphs of one model, ready to be run.

    threads: that each operator computes in; int8: multiply with weights in 8-bit integers
    Raises CheckpointError where the folder holds no complete model, or a graph does not belong to it
    """

    def __init__(
        self,
        folder: Path,
        *,
        names: Sequence[str],
        optional: Sequence[str] = (),
        threads: int = 1,
        int8: bool = False,
    ) -> None:
        self.folder = folder
        check_complete(folder)
        stored = open_weights(folder / WEIGHTS_FILE)
        settings = made_for(read_config(folder / CONFIG_FILE, _Settings, older=True).model_dump())
        there = [name for name in optional if graph_path(folder, name).exists()]
        self._graphs = {
            name: read_graph(
                graph_path(folder, name), architecture=stored.architecture, settings=settings, shapes=stored.shapes
            )
            for name in (*names, *there)
        }
        self._stored, self._int8, self._process = stored, int8, os.getpid()
        self._sessions = self._made(threads=threads)
        self._inputs = {name: _shapes(session.get_inputs()) for name, session in self._sessions.items()}
        self._outputs = {name: list(_shapes(session.get_outputs())) for name, session in self._sessions.items()}

    def __contains__(self, name: str) -> bool:
        return name in self._graphs

    def number(self, name: str, fact: str) -> float | None:
        """Return a number that a graph says of itself; None for one that it leaves empty."""
        try:
            text = self._graphs[name].metadata[fact]
            return float(text) if text else None
        except (KeyError, ValueError) as error:
            raise _broken(graph_path(self.folder, name), f"it does not say its {fact}") from error

    def inputs(self, name: str) -> dict[str, Sequence[int | str]]:
        """Return a graph's inputs and their shapes, in which axes that grow have names."""
        return self._inputs[name]

    def outputs(self, name: str) -> list[str]:
        """List a graph's outputs."""
        return self._outputs[name]

    def run(self, name: str, given: Mapping[str, Array], wanted: Sequence[str]) -> dict[str, Array]:
        """Compute some outputs of a graph, of which it takes what it needs. Raises CheckpointError where it cannot."""
        options = onnxruntime().RunOptions()
        options.only_execute_path_to_fetches = True
        try:
            feed = {key: _value(given[key]) for key in self._inputs[name]}
            found = self._session(name).run_with_ort_values(list(wanted), feed, options)
        except Exception as error:  # onnxruntime has a class of its own for each kind, all of them plain exceptions
            raise _broken(graph_path(self.folder, name), error) from error
        return {key: value.numpy() for key, value in zip(wanted, found, strict=True)}

    def _session(self, name: str) -> Any:
        if self._process != os.getpid():  # a fork: its parent's threads are not in it, and would be waited for
            self._of_the_parent = self._sessions  # kept, because to let them go waits as well
            self._sessions, self._process = self._made(threads=1), os.getpid()  # in this order: other threads look
        return self._sessions[name]

    def _made(self, *, threads: int) -> dict[str, Any]:
        return {
            name: _session(graph, self._stored, threads=threads, int8=self._int8, origin=graph_path(self.folder, name))
            for name, graph in self._graphs.items()
        }


def _shapes(nodes: Sequence[Any]) -> dict[str, Sequence[int | str]]:
    return {each.name: each.shape for each in nodes}


def _session(graph: GraphFile, stored: StoredWeights, *, threads: int, int8: bool, origin: Path) -> Any:
    """Make a graph ready; onnxruntime keeps the weights in the order that it computes in, and those are let go."""
    weights = stored.read(graph.weights)
    check_finite(weights, origin=stored.path)
    if foreign := sorted(name for name, values in weights.items() if values.dtype != np.float32):
        raise CheckpointError(f"{stored.path}: holds whole numbers in {listed(foreign)}. Copy the model again.")
    content = graph.content
    if int8:
        content, weights = in_int8(content, weights)
    options = onnxruntime().SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    # threads that wait by spinning take a core each from those that read, detect speech and search
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # what an operator no longer needs goes back at once: as quick, and the longest recording does not stay in memory
    options.enable_cpu_mem_arena = options.enable_mem_pattern = False
    options.add_external_initializers(list(weights), [_value(values) for values in weights.values()])
    try:
        return onnxruntime().InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # see run
        raise _broken(origin, error) from error


def _broken(path: Path, error: object) -> CheckpointError:
    """Word what is wrong with a graph. Raises MemoryError where nothing is, but there was too little memory."""
    if re.search(r"alloc", str(error)):
        raise MemoryError(str(error))
    reason = (str(error).splitlines() or [""])[0]
    return CheckpointError(
        f"{path}: cannot be run ({reason}). Make it anew: asr-s2s model export {path.parents[1]} --graph."
    )


def _value(array: Array) -> Any:
    return onnxruntime().OrtValue.ortvalue_from_numpy(np.ascontiguousarray(array))
