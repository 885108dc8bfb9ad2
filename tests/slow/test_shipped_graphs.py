"""The models that ship run in ONNX Runtime as they do in torch, and without it."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from asr_s2s.audio import read_audio
from asr_s2s.cli import run
from asr_s2s.engine import token_rules
from asr_s2s.engine.onnx_engine import OnnxEngine
from asr_s2s.engine.torch_engine import TorchEngine
from asr_s2s.errors import CheckpointError
from asr_s2s.model_store import model_folder
from asr_s2s.model_store.directory import load_model

pytestmark = pytest.mark.slow

CLIPS = [Path(__file__).parents[1] / "data" / f"{name}.ogg" for name in ("arctic_a0015_1592748256", "0_jackson_18")]
TEXTS = {
    "en": "It's the aurora borealis.",
    "en-char": "It's the aurora borealis.",
    "commands": "jackson",
    "multi": "It's the Aurora Borealis.",
}
CLOSE = {"atol": 1e-4, "rtol": 1e-4}  # worst seen 5e-5, in log probabilities


@pytest.mark.parametrize("name", TEXTS)
def test_a_shipped_model_gives_what_it_gives_in_torch(name: str) -> None:
    system = load_model(name)
    engines = TorchEngine(system.model, system.front_end), OnnxEngine(model_folder(name))
    rules = token_rules(system.vocabulary)
    samples = [read_audio(path) for path in CLIPS]
    encodings = [engine.encode(samples) for engine in engines]
    assert encodings[0].lengths.tolist() == encodings[1].lengths.tolist()
    assert encodings[0].sound_lengths.tolist() == encodings[1].sound_lengths.tolist()
    text = system.vocabulary.encode(TEXTS[name])
    pairs = list(zip(engines, encodings, strict=True))
    (expected, of_torch), (found, of_onnx) = (
        engine.read(each, [text, text[:1]], rules).top(2) for engine, each in pairs
    )
    np.testing.assert_allclose(found[0], expected[0], **CLOSE)
    assert of_onnx[0].tolist() == of_torch[0].tolist()
    looks = [engine.attention(each, [text, text[:1]], rules) for engine, each in pairs]
    for wanted, given in zip(*looks, strict=True):
        np.testing.assert_allclose(given, wanted, **CLOSE)


def test_the_engine_of_onnx_imports_no_torch() -> None:
    script = (
        "import sys; from asr_s2s.engine.onnx_engine import OnnxEngine; from asr_s2s.model_store import model_folder; "
        "import numpy; OnnxEngine(model_folder('commands')).encode([numpy.zeros(16000, 'float32')]); "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_graphs_are_made_where_they_are_missing_and_belong_to_one_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["model", "export", "commands", str(tmp_path / "copy"), "--storage", "float32", "--no-graph"]) == 0
    with pytest.raises(CheckpointError, match=r"has no graph/lengths\.onnx.* model export .*copy --graph"):
        OnnxEngine(tmp_path / "copy")
    assert run(["model", "export", str(tmp_path / "copy"), "--graph"]) == 0
    for name in ("lengths", "encoder", "start", "step", "heads"):
        shipped, made = (folder / "graph" / f"{name}.onnx" for folder in (model_folder("commands"), tmp_path / "copy"))
        assert made.read_bytes() == shipped.read_bytes(), "the shipped graphs are those of this version"
    shutil.copytree(model_folder("en") / "graph", tmp_path / "copy" / "graph", dirs_exist_ok=True)
    with pytest.raises(CheckpointError, match=r"was not made for the model\.safetensors beside it"):
        OnnxEngine(tmp_path / "copy")
    assert run(["model", "export", "commands"]) == 2
    assert "name the model directory to write, or add --graph." in capsys.readouterr().err
