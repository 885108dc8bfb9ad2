"""Graphs that come from anywhere: what does not belong to a model, or asks for too much, is refused."""

import os
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from asr_s2s.engine.export import add_graphs
from asr_s2s.engine.numpy_scores import NumpyScores, best
from asr_s2s.errors import CheckpointError
from asr_s2s.model_store import model_folder
from asr_s2s.model_store.directory import load_model
from asr_s2s.model_store.graphs import GraphFile, graph_path, made_for, read_graph

pytestmark = pytest.mark.unit

SETTINGS = made_for({"input": {}, "model": {"decoder": {}}})
SHAPES = {"decoder.embedding.weight": (5, 3)}
MARKS = {"architecture": "a1", "made_for": SETTINGS}


def weight(name: str = "decoder.embedding.weight", location: str = "model.safetensors") -> TensorProto:
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=(5, 3), data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    return tensor


def write(folder: Path, *, initializers: list[TensorProto] | None = None, marks: dict[str, str] = MARKS,
          nodes: list[onnx.NodeProto] | None = None, domains: tuple[str, ...] = ("",)) -> Path:  # fmt: skip
    nodes = [helper.make_node("Gather", ["decoder.embedding.weight", "tokens"], ["found"])] if nodes is None else nodes
    tokens = helper.make_tensor_value_info("tokens", TensorProto.INT64, ["batch"])
    found = helper.make_tensor_value_info("found", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "step", [tokens], [found], [weight()] if initializers is None else initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid(domain, 23) for domain in domains])
    helper.set_model_props(model, marks)
    path = graph_path(folder, "step")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(model.SerializeToString())
    return path


def read(path: Path) -> GraphFile:
    return read_graph(path, architecture="a1", settings=SETTINGS, shapes=SHAPES)


def test_a_graph_is_read_with_the_names_of_its_weights(tmp_path: Path) -> None:
    found = read(write(tmp_path))
    assert found.weights == ("decoder.embedding.weight",)
    assert dict(found.metadata) == MARKS


def test_a_directory_without_graphs_says_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(
        CheckpointError, match=rf"{tmp_path}: has no graph/step.onnx.* asr-s2s model export {tmp_path} --graph"
    ):
        read(graph_path(tmp_path, "step"))


def test_a_pipe_is_no_graph(tmp_path: Path) -> None:
    (tmp_path / "graph").mkdir()
    os.mkfifo(tmp_path / "graph" / "step.onnx")
    with pytest.raises(CheckpointError, match=r"has no graph/step\.onnx"):
        read(graph_path(tmp_path, "step"))


@pytest.mark.parametrize(
    ("marks", "reason"),
    [
        ({}, r"was not made for the model\.safetensors beside it"),
        (MARKS | {"architecture": "b2"}, r"was not made for the model\.safetensors beside it"),
        (MARKS | {"made_for": "{}"}, "before tail_seconds, silence or alignment_heads were changed"),
    ],
)
def test_a_graph_of_another_model_is_refused(marks: dict[str, str], reason: str, tmp_path: Path) -> None:
    with pytest.raises(
        CheckpointError, match=f"step.onnx: {reason if reason.startswith('was') else '.*' + reason}.*--graph"
    ):
        read(write(tmp_path, marks=marks))


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", "", "other.safetensors"])
def test_a_graph_that_names_other_files_is_refused(location: str, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="names other files"):
        read(write(tmp_path, initializers=[weight(location=location)]))
    constant = helper.make_node("Constant", [], ["found"], value=weight(location="model.safetensors"))
    with pytest.raises(CheckpointError, match="names other files"):
        read(write(tmp_path, nodes=[constant], initializers=[]))


def test_a_graph_that_wants_weights_of_another_name_or_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"wants weights that model\.safetensors does not hold: other"):
        read(write(tmp_path, initializers=[weight("other")]))
    with pytest.raises(CheckpointError, match=r"wants weights that model\.safetensors does not hold"):
        read_graph(write(tmp_path), architecture="a1", settings=SETTINGS, shapes={"decoder.embedding.weight": (5, 4)})


def test_foreign_operators_functions_and_graphs_within_graphs_are_refused(tmp_path: Path) -> None:
    foreign = helper.make_node("Gelu", ["tokens"], ["found"], domain="com.microsoft")
    with pytest.raises(CheckpointError, match=r"operators of the domain 'com\.microsoft'"):
        read(write(tmp_path, nodes=[foreign]))
    with pytest.raises(CheckpointError, match=r"operators of the domain 'their\.own'"):
        read(write(tmp_path, domains=("", "their.own")))
    body = helper.make_graph([], "body", [], [])
    with pytest.raises(CheckpointError, match="graphs within graphs"):
        read(write(tmp_path, nodes=[helper.make_node("If", ["tokens"], ["found"], then_branch=body, else_branch=body)]))


def test_an_oversized_graph_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = write(tmp_path)
    os.truncate(path, 10**12)  # a file with a hole takes no room
    with pytest.raises(CheckpointError, match=r"cannot be read \(it has more than 8 MB\)"):
        read(path)


@given(cut=st.integers(0, 200), flipped=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_a_damaged_graph_is_refused_or_read_and_nothing_else(
    cut: int, flipped: int, bit: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = write(tmp_path_factory.mktemp("model"))
    content = bytearray(path.read_bytes())
    content[flipped % len(content)] ^= 1 << bit
    path.write_bytes(bytes(content)[: len(content) - cut])
    with suppress(CheckpointError):
        read(path)


@given(
    count=st.integers(1, 12),
    row=st.lists(st.integers(-30, 30), min_size=12, max_size=3000),
)
def test_the_best_are_those_of_all_sorted(count: int, row: list[int]) -> None:
    values = np.array([row, row[::-1]], np.float32)
    found = np.take_along_axis(values, best(values, count), axis=1)
    assert found.tolist() == np.sort(values, axis=1)[:, ::-1][:, :count].tolist()  # of equals any
    assert all(len(set(places)) == count for places in best(values, count).tolist())


def test_the_forbidden_have_no_share_and_gains_count_for_the_choice_alone() -> None:
    logits = np.log(np.array([[[0.5, 0.25, 0.125, 0.125]]], np.float32))
    scores = NumpyScores(logits)
    scores.forbid([0])
    log_probs, tokens = scores.top(2)
    assert tokens.tolist() == [[[1, 2]]]
    np.testing.assert_allclose(np.exp(log_probs), [[[0.5, 0.25]]], rtol=1e-6)
    log_probs, tokens = scores.top(1, gains=np.array([[[9, 0, 0, 5]]], np.float32))
    assert tokens.tolist() == [[[3]]]
    np.testing.assert_allclose(np.exp(log_probs), [[[0.25]]], rtol=1e-6)


def test_graphs_of_the_same_architecture_are_copied_and_others_need_the_exporter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx_ir", None)
    system = load_model("commands")
    assert system.folder == model_folder("commands")
    graph_path(tmp_path, "of_another").parent.mkdir()
    graph_path(tmp_path, "of_another").write_bytes(b"")
    assert add_graphs(tmp_path, system, like=system.folder) is None
    graphs = [{path.name: path.read_bytes() for path in (folder / "graph").iterdir()}
              for folder in (tmp_path, model_folder("commands"))]  # fmt: skip
    assert graphs[0] == graphs[1]
    notice = add_graphs(tmp_path, system, like=model_folder("en"))
    assert notice is not None
    assert "pip install 'asr-s2s[train]'. Then run: asr-s2s model export" in notice
