"""Products with weights in 8-bit integers: three to four times as fast as in float32 on a processor with VNNI units.

Every row of what is multiplied, the channels of one frame or token, is rounded with a scale of its own, and so is every
output channel of a weight; the sums are exact. What comes out of a row does not depend on the rows beside it, and not
on how many threads compute. A graph on disk knows nothing of this: its products are exchanged when it is loaded.

Dettmers 2022: Dettmers et al., "LLM.int8(): 8-bit matrix multiplication for transformers at scale", NeurIPS 2022,
section 2 (a scale for every row and every column).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr_s2s.model_store.protobuf import Content, Value, fields, message, text, texts, written
from asr_s2s.model_store.quantize import quantize
from asr_s2s.model_store.stored import WEIGHTS_FILE

Array = NDArray[Any]

LOGITS, LOGITS_SCALE = "logits", "logits_scale"
LEAST_SIZE = 2**16  # of a weight: with a smaller one, to round takes as long as is gained
LARGEST = np.float32(127)
FOREIGN = "com.microsoft"  # ONNX Runtime's own operators, which no graph on disk may have
GRAPH, OPERATORS, NODE, INITIALIZER, OUTPUT = 7, 8, 1, 5, 12  # ONNX's numbers for fields
EXTERNAL, TYPES = 1, {"float32": 1, "uint8": 2, "int8": 3, "int64": 7, "float16": 10}  # and for a place and for types
TO_FLOAT32 = written(5, written(1, "to") + written(3, TYPES["float32"]) + written(20, 2))  # an attribute
AXIS, LEAST, STEP, MIDDLE, ZERO = (f"int8.{name}" for name in ("axis", "least", "step", "middle", "zero"))
CONSTANTS: Mapping[str, Array] = {
    AXIS: np.array([-1]),
    LEAST: np.array(1e-30, np.float32),  # by which zeros are divided
    STEP: np.array(1 / LARGEST),
    MIDDLE: np.array(128, np.uint8),
    ZERO: np.array(0, np.int8),
}
PROCESSORS = Path("/proc/cpuinfo")  # of Linux


def has_int8_units() -> bool:
    """Return whether this processor has VNNI units: without, integers gain little and may overflow."""
    try:
        return "_vnni" in PROCESSORS.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def in_int8(content: bytes, weights: Mapping[str, Array]) -> tuple[bytes, dict[str, Array]]:
    """Exchange a graph's products with weights, and the table that tokens are looked up in.

    Logits lack the scale of their row, which is a further output: multiplied where they lie, all of them would be read
    and written once more.
    content: an ONNX model; weights: those that it names
    returns: the model, and the weights that it names now
    """
    model = list(fields(content))
    (graph,) = (list(fields(value)) for value in _values(model, GRAPH))
    exchange = _Exchange([_Node.read(value) for value in _values(graph, NODE)], weights)
    outputs = [text(message(value), 1) for value in _values(graph, OUTPUT)]
    added = [LOGITS_SCALE] if exchange.has_logits else []
    nodes = _used(exchange.nodes, [*outputs, *added])
    named = {name for node in nodes for name in node.inputs}
    initial = [value for value in _values(graph, INITIALIZER) if text(message(value), 8) in named]
    there = {text(message(value), 8) for value in initial}
    now = {name: value for name, value in {**weights, **exchange.rounded}.items() if name in named}
    come = [_tensor(name, value, external=True) for name, value in now.items() if name not in there]
    come += [_tensor(name, value, external=False) for name, value in CONSTANTS.items() if name in named]
    changed = {
        NODE: [node.raw for node in nodes],
        INITIALIZER: initial + come,
        OUTPUT: _values(graph, OUTPUT) + [written(1, name) for name in added],
    }
    new: list[tuple[int, Value]] = [(number, value) for number, value in graph if number not in changed]
    new += [(number, value) for number, values in changed.items() for value in values]
    others = [(number, value) for number, value in model if number != GRAPH]
    operators = written(1, FOREIGN) + written(2, 1)
    return _message([*others, (OPERATORS, operators), (GRAPH, _message(new))]), now


@dataclass(frozen=True)
class _Node:
    """An operator with the names of what it takes and gives; raw: as it stands in a file."""

    kind: str
    inputs: Sequence[str]
    outputs: Sequence[str]
    raw: Content

    @classmethod
    def read(cls, raw: Content) -> "_Node":
        node = message(raw)
        return cls(text(node, 4), texts(node, 1), texts(node, 2), raw)

    @classmethod
    def new(cls, kind: str, inputs: Sequence[str], output: str, *, attribute: bytes = b"", domain: str = "") -> "_Node":
        raw = b"".join(written(1, name) for name in inputs) + written(2, output) + written(4, kind)
        return cls(kind, inputs, [output], raw + attribute + (written(7, domain) if domain else b""))


class _Exchange:
    """What takes the place of a graph's nodes, and the weights that this names beside the old ones."""

    def __init__(self, nodes: Sequence[_Node], weights: Mapping[str, Array]) -> None:
        self._makers = {output: node for node in nodes for output in node.outputs}
        gemm = self._rows_of_logits()
        self._large = {
            name: value
            for name, value in weights.items()
            if value.ndim == 2 and value.size >= LEAST_SIZE and not (gemm and _contracts(value))
        }
        self._table = gemm.inputs[1] if gemm and gemm.inputs[1] in self._large else None
        self._in_rows: set[str] = set()
        self.has_logits = self._table is not None
        self.rounded: dict[str, Array] = {}
        self.nodes = [each for node in nodes for each in self._instead(node)]

    def _rows_of_logits(self) -> _Node | None:
        """Find the product with the transposed embedding, of rows, that logits are (models/tied.py)."""
        shaped = self._makers.get(LOGITS)
        maker = self._makers.get(shaped.inputs[0]) if shaped else None
        return maker if maker and maker.kind == "Gemm" and len(maker.inputs) == 2 else None

    def _instead(self, node: _Node) -> Iterator[_Node]:
        weight = self._makers.get(node.inputs[1]) if node.kind == "MatMul" else None
        if weight and weight.kind == "Transpose" and weight.inputs[0] in self._large:
            x, (output,) = node.inputs[0], node.outputs
            yield from self._rows(x)
            yield self._product(x, weight.inputs[0], f"{output}.unscaled")
            yield _Node.new("Mul", [f"{output}.unscaled", f"{x}.largest"], output)
        elif self._table and LOGITS in node.outputs:
            x = self._makers[self._makers[node.inputs[0]].inputs[0]].inputs[0]  # before its axes became rows
            yield from self._rows(x)
            yield self._product(x, self._table, LOGITS)
            yield _Node.new("Identity", [f"{x}.largest"], LOGITS_SCALE)
        elif self._table and node.kind == "Gather" and node.inputs[0] == self._table:
            yield from self._looked_up(node)
        else:
            yield node

    def _rows(self, x: str) -> Iterator[_Node]:
        """Round what is multiplied, once for all weights that it is multiplied with."""
        if x in self._in_rows:
            return
        self._in_rows.add(x)
        yield _Node.new("Abs", [x], f"{x}.absolute")
        yield _Node.new("ReduceMax", [f"{x}.absolute", AXIS], f"{x}.maximum")
        yield _Node.new("Max", [f"{x}.maximum", LEAST], f"{x}.largest")
        yield _Node.new("Div", [x, f"{x}.largest"], f"{x}.divided")
        yield _Node.new("QuantizeLinear", [f"{x}.divided", STEP, MIDDLE], f"{x}.int8")

    def _product(self, x: str, weight: str, output: str) -> _Node:
        if f"{weight}.int8" not in self.rounded:
            values, scale = quantize(self._large[weight])
            self.rounded |= {f"{weight}.int8": np.ascontiguousarray(values.T), f"{weight}.scale": scale}
            if weight == self._table:
                self.rounded[f"{weight}.rows"] = self._large[weight].astype(np.float16)
        inputs = [f"{x}.int8", f"{weight}.int8", STEP, f"{weight}.scale", MIDDLE, ZERO]
        return _Node.new("MatMulIntegerToFloat", inputs, output, domain=FOREIGN)

    def _looked_up(self, node: _Node) -> Iterator[_Node]:
        """Look up embeddings in float16, so that they do not lie in memory in float32 beside the rounded ones."""
        (output,), tokens = node.outputs, node.inputs[1]
        yield _Node.new("Gather", [f"{self._table}.rows", tokens], f"{output}.float16")
        yield _Node.new("Cast", [f"{output}.float16"], output, attribute=TO_FLOAT32)


def _contracts(weight: Array) -> bool:
    """Return whether a weight makes few channels of many, which stays in float32 beside logits.

    What comes out of a GELU is a few large values among many small ones. To round it in the decoder moved the
    probabilities of the next token more than all the rest: by 0.011 nats a token instead of 0.007.
    """
    outputs, inputs = weight.shape
    return bool(inputs > outputs)


def _used(nodes: Sequence[_Node], outputs: Sequence[str]) -> list[_Node]:
    """Leave out what nothing takes any more."""
    taken, used = set(outputs), []
    for node in reversed(nodes):
        if taken.intersection(node.outputs):
            taken.update(node.inputs)
            used.append(node)
    return used[::-1]


def _values(entries: Sequence[tuple[int, Value]], field: int) -> list[Content]:
    return [value for number, value in entries if number == field and not isinstance(value, int)]


def _message(entries: Sequence[tuple[int, Value]]) -> bytes:
    return b"".join(written(number, value) for number, value in entries)


def _tensor(name: str, value: Array, *, external: bool) -> bytes:
    """Write a tensor, or describe one whose values are handed over beside the graph."""
    described = b"".join(written(1, size) for size in value.shape)
    described += written(2, TYPES[str(value.dtype)]) + written(8, name)
    place = written(1, "location") + written(2, WEIGHTS_FILE)
    return described + (written(13, place) + written(14, EXTERNAL) if external else written(9, value.tobytes()))
