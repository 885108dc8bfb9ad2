"""What needs no torch: whoever only transcribes, scores, checks or prepares does not install it."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.unit

# rooms and modules that compute with tensors, or train
IN_TORCH = {
    "models",
    "features",
    "training",
    "checking.mislabelled",
    "data.augment",
    "data.batch",
    "data.cache",
    "data.dataset",
    "data.loading",
    "engine.export",
    "engine.torch_engine",
    "engine.torch_language",
    "engine.tracing",
    "model_store.average",
    "model_store.describe",
    "model_store.directory",
    "model_store.language",
    "model_store.loading",
    "model_store.merge",
    "model_store.prune",
    "model_store.spell",
    "model_store.skip_init",
    "model_store.weights",
    "model_store.whisper",
    "model_store.whisper_checkpoints",
    "recognizer.in_torch",
}
IMPORT_ALL = """
import importlib, pkgutil, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "torchaudio", "librosa", "scipy", "lhotse", "onnx", "matplotlib"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
import asr_s2s
for module in pkgutil.walk_packages(asr_s2s.__path__, "asr_s2s."):
    if module.name != "asr_s2s.__main__":
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError:
            print(module.name.removeprefix("asr_s2s."))
"""


def test_only_what_computes_with_tensors_needs_torch() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True, check=True)
    needing = {name for name in done.stdout.split() if name.partition(".")[0] not in IN_TORCH}
    assert needing == {name for name in IN_TORCH if "." in name}
