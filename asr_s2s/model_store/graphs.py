"""A model's graphs as files: what ONNX Runtime shall run, looked through before it sees them. Nothing here needs torch.

A graph may come from anywhere. Ours hold operators of ONNX alone, no graphs within graphs, and no weights: those they
name as model.safetensors does. What else a file may ask for, such as other files, is refused.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asr_s2s.errors import CheckpointError, listed
from asr_s2s.files import is_file
from asr_s2s.inputs import read_bytes
from asr_s2s.model_store.protobuf import Message, message, numbers, parts, text
from asr_s2s.model_store.stored import WEIGHTS_FILE, Shape

GRAPH_FOLDER = "graph"
ARCHITECTURE = "architecture"  # in a graph's metadata, as in the header of the weights
MADE_FOR = "made_for"  # there too, see made_for
MOST_BYTES = 8_000_000  # of Whisper's largest 0.9 million
FLOAT, EXTERNAL = 1, 1  # ONNX's numbers for a type and a place


@dataclass(frozen=True)
class GraphFile:
    """A graph that was looked through: its bytes, what it says of itself, and the weights that it has to be given."""

    content: bytes
    metadata: Mapping[str, str]
    weights: tuple[str, ...]


def made_for(config: Mapping[str, Any]) -> str:
    """Name what a graph holds of a configuration beside the architecture: what may be edited without other weights."""
    given, model = config.get("input", {}), config["model"]
    decoder = model.get("decoder")
    tail = given.get("tail_seconds") or 0.0
    parts = {
        "tail_seconds": float(tail) if isinstance(tail, int) else tail,
        "silence": model.get("silence"),
        "alignment_heads": (decoder.get("alignment_heads") if isinstance(decoder, dict) else None) or [],
    }
    return json.dumps(parts, sort_keys=True, default=str)


def graph_path(folder: Path, name: str) -> Path:
    """Name the file of one of a model's graphs."""
    return folder / GRAPH_FOLDER / f"{name}.onnx"


def read_graph(path: Path, *, architecture: str, settings: str, shapes: Mapping[str, Shape]) -> GraphFile:
    """Read a graph that belongs to weights of these shapes and to a configuration, see made_for.

    Raises CheckpointError for one that belongs to others, is damaged, or is none of ours.
    """
    advice = f"Make it anew: asr-s2s model export {path.parents[1]} --graph."
    if not is_file(path):
        raise CheckpointError(
            f"{path.parents[1]}: has no {GRAPH_FOLDER}/{path.name}, which the onnx runtime needs. "
            f"Make the graphs: asr-s2s model export {path.parents[1]} --graph."
        )
    try:
        content = read_bytes(path, most=MOST_BYTES)
        model = message(memoryview(content))
        metadata = {text(entry, 1): text(entry, 2) for entry in parts(model, 14)}
        weights, faults = _looked_through(model)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror}). {advice}") from error
    except (ValueError, IndexError) as error:
        raise CheckpointError(f"{path}: is no ONNX graph ({error}). {advice}") from error
    if faults:
        raise CheckpointError(f"{path}: {listed(faults)}, which no graph of asr-s2s does. {advice}")
    if metadata.get(ARCHITECTURE) != architecture:
        raise CheckpointError(f"{path}: was not made for the {WEIGHTS_FILE} beside it. {advice}")
    if metadata.get(MADE_FOR) != settings:
        raise CheckpointError(
            f"{path}: was made before tail_seconds, silence or alignment_heads were changed in the configuration. "
            + advice
        )
    if foreign := sorted(name for name, shape in weights.items() if shapes.get(name) != shape):
        raise CheckpointError(f"{path}: wants weights that {WEIGHTS_FILE} does not hold: {listed(foreign)}. {advice}")
    return GraphFile(content, metadata, tuple(weights))


def _looked_through(model: Message) -> tuple[dict[str, Shape], list[str]]:
    """Find the weights that a model (ONNX's ModelProto) wants, by name, and what it must not do."""
    weights: dict[str, Shape] = {}
    faults: set[str] = set()
    graphs, functions, training = parts(model, 7), parts(model, 25), parts(model, 20)
    nodes = [node for graph in graphs for node in parts(graph, 1)]
    domains = [text(part, 1) for part in parts(model, 8)] + [text(node, 7) for node in nodes]
    faults |= {f"has operators of the domain '{domain}'" for domain in domains if domain not in ("", "ai.onnx")}
    if functions or training:
        faults.add("brings functions of its own")
    for attribute in (attribute for node in nodes for attribute in parts(node, 5)):
        if parts(attribute, 6) or parts(attribute, 11):
            faults.add("has graphs within graphs")
        if any(_is_external(tensor) for field in (5, 10) for tensor in parts(attribute, field)):
            faults.add("names other files")
        if parts(attribute, 22) or parts(attribute, 23):
            faults.add("holds sparse tensors")
    for graph in graphs:
        if parts(graph, 15):
            faults.add("holds sparse tensors")
        for tensor in filter(_is_external, parts(graph, 5)):
            places = {text(entry, 2) for entry in parts(tensor, 13) if text(entry, 1) == "location"}
            if places != {WEIGHTS_FILE} or numbers(tensor, 2) != [FLOAT]:
                faults.add("names other files")
            weights[text(tensor, 8)] = tuple(numbers(tensor, 1))
    return weights, sorted(faults)


def _is_external(tensor: Message) -> bool:
    return EXTERNAL in numbers(tensor, 14) or bool(parts(tensor, 13))
