"""What needs no torch: whoever only transcribes, scores, checks or prepares does not install it."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[1]
AURORA = ROOT / "tests" / "data" / "arctic_a0015_1592748256.ogg"
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
WITHOUT_TORCH = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "torchaudio", "librosa", "scipy", "lhotse", "onnx", "matplotlib"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
"""
IMPORT_ALL = """
import importlib, pkgutil, asr_s2s
for module in pkgutil.walk_packages(asr_s2s.__path__, "asr_s2s."):
    if module.name != "asr_s2s.__main__":
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError:
            print(module.name.removeprefix("asr_s2s."))
"""


def test_only_what_computes_with_tensors_needs_torch() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH + IMPORT_ALL], capture_output=True, text=True, check=True
    )
    needing = {name for name in done.stdout.split() if name.partition(".")[0] not in IN_TORCH}
    assert needing == {name for name in IN_TORCH if "." in name}


ELSEWHERE = """
import os, signal, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name in ("fcntl", "resource", "pwd", "grp", "termios", "tty", "pty"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

import multiprocessing.util, subprocess, tempfile  # Python's own parts, which know where they are
sys.meta_path.insert(0, Absent())
for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules.pop(name, None)
for name in ("SIGHUP", "SIGPIPE", "SIGUSR1", "SIGALRM", "SIGKILL", "pthread_sigmask", "setitimer", "alarm"):
    if hasattr(signal, name):
        delattr(signal, name)
for name in ("register_at_fork", "fork", "sched_getaffinity", "geteuid", "getuid", "fchmod", "mkfifo", "killpg"):
    if hasattr(os, name):
        delattr(os, name)

from asr_s2s.cli import run
sys.exit(run(sys.argv[1:]))
"""


@pytest.mark.slow
def test_transcribing_and_scoring_need_nothing_that_only_posix_has(tmp_path: Path) -> None:
    for arguments in (
        ["transcribe", str(AURORA), "--format", "json,srt", "-o", str(tmp_path)],
        ["score", str(ROOT / "tests/data/scoring/commonvoice.jsonl")],
    ):
        done = subprocess.run(
            [sys.executable, "-c", ELSEWHERE, *arguments], capture_output=True, text=True, timeout=100, check=False
        )
        assert done.returncode == 0, done.stderr
    assert "Aurora Borealis" in (tmp_path / f"{AURORA.stem}.json").read_text()


def test_a_model_is_described_without_torch() -> None:
    script = WITHOUT_TORCH + "from asr_s2s.cli import run; sys.exit(run(['model', 'info', 'commands']))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "encoder: " in done.stdout
    assert "graphs for transcription without torch: encoder, heads, lengths, start, step" in done.stdout
    assert "stem: {kind: conv2d, factor: 4, maps: 32}" in done.stdout
