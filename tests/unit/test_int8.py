"""Products in 8-bit integers: how far they may be from those in float32, and graphs that are written anew."""

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from asr_s2s.engine import int8
from asr_s2s.engine.int8 import has_int8_units, in_int8
from asr_s2s.engine.numpy_scores import NumpyScores
from asr_s2s.model_store.protobuf import fields, message, numbers, texts, written
from asr_s2s.runtime import onnxruntime

pytestmark = pytest.mark.unit

CHANNELS, OUTPUTS = 24, 16


def linear_layer() -> bytes:
    nodes = [
        helper.make_node("Transpose", ["weight"], ["turned"], perm=[1, 0]),
        helper.make_node("MatMul", ["x", "turned"], ["y"]),
    ]
    weight = TensorProto(name="weight", data_type=1, dims=(OUTPUTS, CHANNELS), data_location=TensorProto.EXTERNAL)
    weight.external_data.add(key="location", value="model.safetensors")
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", "time", None]) for name in "xy")
    graph = helper.make_graph(nodes, "layer", [x], [y], [weight])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)], ir_version=11)
    return bytes(model.SerializeToString())


def computed(content: bytes, weights: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    runtime = onnxruntime()
    options = runtime.SessionOptions()
    values = [runtime.OrtValue.ortvalue_from_numpy(each) for each in weights.values()]
    options.add_external_initializers(list(weights), values)
    (found,) = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"]).run(None, {"x": x})
    return np.asarray(found)


@pytest.mark.skipif(not has_int8_units(), reason="sums of 8-bit integers overflow without VNNI units")
@given(seed=st.integers(0, 2**32 - 1), spread=st.floats(0, 3))
@settings(max_examples=30, deadline=None)
def test_a_product_is_as_near_as_its_roundings_and_rows_do_not_mix(seed: int, spread: float) -> None:
    random = np.random.default_rng(seed)
    x, weight = random.normal(size=(2, 3, CHANNELS)), random.normal(size=(OUTPUTS, CHANNELS))
    x *= 10.0 ** random.uniform(-spread, spread, (2, 3, 1))  # each row of its own size
    x[1, 2] = 0
    x, weight = x.astype(np.float32), weight.astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(int8, "LEAST_SIZE", 1)
        content, weights = in_int8(linear_layer(), {"weight": weight})
    found = computed(content, weights, x)
    steps_x, steps_weight = (np.abs(each).max(axis=-1, keepdims=True) / 127 for each in (x, weight))
    off = np.abs(x) @ np.full_like(weight, 1).T * steps_weight[:, 0] / 2
    off += steps_x / 2 * (np.abs(weight) + steps_weight / 2).sum(axis=1)
    assert (np.abs(found - x @ weight.T) <= off * 1.001 + 1e-6 * np.abs(x).max()).all()
    np.testing.assert_array_equal(found[1, 2], 0)
    np.testing.assert_array_equal(computed(content, weights, x[:1, 1:2]), found[:1, 1:2])


def test_small_weights_stay_as_they_are() -> None:
    weight = np.ones((OUTPUTS, CHANNELS), np.float32)
    content, weights = in_int8(linear_layer(), {"weight": weight})
    assert list(weights) == ["weight"]
    assert [node.op_type for node in onnx.load_from_string(content).graph.node] == ["Transpose", "MatMul"]


@given(
    st.lists(
        st.tuples(st.integers(1, 10_000), st.integers(0, 2**64 - 1) | st.text(max_size=300) | st.binary(max_size=300))
    )
)
def test_fields_are_read_as_they_were_written(entries: list[tuple[int, int | str | bytes]]) -> None:
    content = memoryview(b"".join(written(number, value) for number, value in entries))
    found = [(number, value if isinstance(value, int) else bytes(value)) for number, value in fields(content)]
    assert found == [(number, value.encode() if isinstance(value, str) else value) for number, value in entries]
    for number, _ in entries:
        of_this = [other for same, other in entries if same == number]
        if all(isinstance(other, int) for other in of_this):
            assert numbers(message(content), number) == of_this
        if all(isinstance(other, str) for other in of_this):
            assert texts(message(content), number) == of_this


@given(seed=st.integers(0, 2**32 - 1))
def test_logits_with_a_scale_beside_give_what_multiplied_ones_give(seed: int) -> None:
    random = np.random.default_rng(seed)
    logits = random.normal(size=(2, 3, 200)).astype(np.float32)
    scale = random.uniform(0.1, 9, (2, 3, 1)).astype(np.float32)
    gains = random.normal(size=logits.shape).astype(np.float32)
    beside, multiplied = NumpyScores(logits.copy(), scale), NumpyScores(logits * scale)
    for each in (beside, multiplied):
        each.between(1).forbid([3, 4])
    for added in (None, gains):
        (found, tokens), (expected, same) = (each.top(4, gains=added) for each in (beside, multiplied))
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
        assert tokens.tolist() == same.tolist()
    assert (beside.at(np.full((2, 3, 1), 3)) == -np.inf).tolist() == [[[False], [True], [True]]] * 2
