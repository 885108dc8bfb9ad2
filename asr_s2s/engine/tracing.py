"""A graph from a function of tensors: traced by torch's exporter, its weights taken out."""

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from asr_s2s.errors import MissingExtraError
from asr_s2s.model_store.names import stored_name
from asr_s2s.model_store.stored import WEIGHTS_FILE

OPSET, IR_VERSION = 23, 11  # the first with an operator of attention
MOST_FOLDED = 1024  # numbers that one constant may hold: the rest is computed when the graph is loaded

Tensors = dict[str, Tensor]
Compute = Callable[[Tensors], Tensors]
AXES = {  # of inputs, by the beginning of their names
    "samples": ("batch", "time"),
    "sample_lengths": ("batch",),
    "encoder_out": ("batch", "time"),
    "encoder_lengths": ("batch",),
    "tokens": ("batch", "beam"),
    "visible": ("batch", "beam", "seen"),
    "slots": ("batch", None, "slot"),
    "memory_scores": ("batch", None, None, "time"),
    "memory_key_": ("batch", None, "time"),
    "memory_value_": ("batch", None, "time"),
    "memory_summary": ("batch",),
    "memory": ("batch", "time"),
    "beam_history": ("batch", "beam", None, "time"),
    "beam": ("batch", "beam"),
}


class _Traced(nn.Module):
    """What is traced: some outputs of a function of named tensors, beside the parts that hold its weights."""

    def __init__(
        self, compute: Compute, names: Sequence[str], outputs: Sequence[str], parts: Mapping[str, nn.Module]
    ) -> None:
        super().__init__()
        self._compute, self._names, self._outputs = compute, names, outputs
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, inputs: list[Tensor]) -> list[Tensor]:
        found = self._compute(dict(zip(self._names, inputs, strict=True)))
        return [found[name] for name in self._outputs]


def traced_graph(
    compute: Compute, inputs: Tensors, parts: Mapping[str, nn.Module], *, marks: Mapping[str, str]
) -> bytes:
    """Trace a graph and take its weights out."""
    ir, optimizer = _exporter()
    prefix = "model" if "" in parts else ""
    modules = {name or prefix: part for name, part in parts.items()}
    with torch.no_grad():  # what comes out as it went in is no output
        outputs = [name for name, value in compute(dict(inputs)).items() if value is not inputs.get(name)]
    traced = _Traced(compute, list(inputs), outputs, modules).eval()
    axes = [{place: axis for place, axis in enumerate(_axes(name)) if axis} for name in inputs]
    with _quietly():
        program = torch.onnx.export(
            traced,
            (list(inputs.values()),),
            input_names=list(inputs),
            output_names=[f"new_{name}" if name in inputs else name for name in outputs],
            dynamic_shapes=(axes,),
            opset_version=OPSET,
            dynamo=True,
            optimize=False,
            external_data=False,
            verbose=False,
        )
    assert program is not None, "the exporter gives a program where dynamo is true"
    model = program.model
    weights = {name: value for name, value in model.graph.initializers.items() if name in traced.state_dict()}
    for name, value in weights.items():  # as inputs they are not folded into constants
        del model.graph.initializers[name]
        model.graph.inputs.append(value)
    optimizer.optimize_ir(model, output_size_limit=MOST_FOLDED)
    for name, value in weights.items():
        model.graph.inputs.remove(value)
        if value.uses():
            value.name = stored_name(name.removeprefix(f"{prefix}.") if prefix else name)
            value.const_value = ir.ExternalTensor(
                WEIGHTS_FILE, None, None, value.dtype, shape=value.shape, name=value.name
            )
            model.graph.initializers.add(value)
    for node in model.graph:  # the exporter takes some lengths for fixed that are not
        for value in node.outputs:
            value.shape = None
    ir.passes.common.ClearMetadataAndDocStringPass()(model)
    model.metadata_props.update(marks)
    model.ir_version, model.producer_name, model.producer_version = IR_VERSION, "asr-s2s", ""
    content: bytes = ir.serde.serialize_model(model).SerializeToString(deterministic=True)
    return content


def _axes(name: str) -> tuple[str | None, ...]:
    beginning = max((each for each in AXES if name.startswith(each)), key=len)
    return AXES[beginning]


def _exporter() -> tuple[Any, Any]:
    try:
        import onnx_ir  # noqa: PLC0415
        from onnxscript import optimizer  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError("Graphs are made by torch's exporter to ONNX: pip install 'asr-s2s[train]'.") from error
    return onnx_ir, optimizer


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep the exporter's notes to itself: of operators that it lacks and nothing here has, and of names of axes."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
