"""A recogniser from names: of a model, a runtime, a device, a precision."""

import importlib.util
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from asr_s2s.errors import ConfigError, MissingExtraError
from asr_s2s.files import is_file, is_folder
from asr_s2s.model_store import model_folder, open_model
from asr_s2s.model_store.graphs import graph_path
from asr_s2s.recognizer.in_onnx import in_onnx
from asr_s2s.recognizer.memory import keep_large_blocks
from asr_s2s.recognizer.model import ReadyModel
from asr_s2s.recognizer.options import DecodeOptions
from asr_s2s.recognizer.recognizer import Recognizer

RUNTIMES = ("auto", "onnx", "torch")
PRECISIONS = ("auto", "float32", "bfloat16")
GPU_DRIVER = Path("/proc/driver/nvidia/version")


def load(
    model: str | Path = "en",
    *,
    runtime: str = "auto",
    device: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
    **options: Any,
) -> Recognizer:
    """Load a shipped model by its name, or any model directory, ready to transcribe.

    runtime: 'onnx', which needs no torch; 'torch'; 'auto' takes torch for a GPU, and for a model without graphs
    device: 'cpu', 'cuda', 'cuda:1'; 'auto' takes a GPU where there is one
    precision: 'float32' or 'bfloat16'; 'auto' takes bfloat16 in torch, where the machine is made for it
    threads: of the processor; None takes all that this process may use
    options: those of DecodeOptions: beam, find_speech, repair, hotwords, language_model
    Raises CheckpointError if there is no such model or it is damaged, ConfigError for another value that cannot be,
        MissingExtraError where torch is needed and not installed.
    """
    chosen = DecodeOptions.checked(**options)
    keep_large_blocks()
    folders = [folder for folder in (model_folder(model), chosen.language_model) if folder and is_folder(folder)]
    if runtime == "auto":
        runtime = _runtime(folders, device=str(device), precision=precision)
    return Recognizer(_ready(model, runtime, str(device), precision, threads or available_threads()), chosen)


def _ready(model: str | Path, runtime: str, device: str, precision: str, threads: int) -> ReadyModel:
    if not re.fullmatch(r"auto|cpu|cuda(:\d{1,3})?", device):
        raise ConfigError(f"device '{device}': unknown. Choose from auto, cpu, cuda, cuda:0, cuda:1 ...")
    for name, value, known in (("runtime", runtime, RUNTIMES), ("precision", precision, PRECISIONS)):
        if value not in known:
            raise ConfigError(f"{name} '{value}': unknown. Choose from {', '.join(known)}.")
    if runtime == "torch":
        return _ready_in_torch(model, device=device, precision=precision, threads=threads)
    for name, value in (("device", device), ("precision", precision)):
        if value not in ("auto", "cpu", "float32"):
            raise ConfigError(f"{name} '{value}': the onnx runtime computes on the processor in float32. Take torch.")
    return in_onnx(open_model(model), threads=threads)


def _runtime(folders: Sequence[Path], *, device: str, precision: str) -> Literal["onnx", "torch"]:
    """Choose a runtime, without a look into torch: its import takes longer than many a transcription."""
    if precision == "bfloat16" or device.startswith("cuda"):
        return "torch"
    has_torch = importlib.util.find_spec("torch") is not None
    gpu = device == "auto" and GPU_DRIVER.exists()
    has_graphs = all(is_file(graph_path(folder, "step")) for folder in folders)
    return "torch" if has_torch and (gpu or not has_graphs) else "onnx"


def _ready_in_torch(model: str | Path, *, device: str, precision: str, threads: int) -> ReadyModel:
    try:
        import torch  # noqa: PLC0415 - an optional dependency

        from asr_s2s.model_store.directory import load_model  # noqa: PLC0415
        from asr_s2s.recognizer.in_torch import in_torch  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "A GPU, bfloat16 and models without graphs need torch: pip install 'asr-s2s[train]'."
        ) from error
    torch.set_num_threads(threads)
    return in_torch(load_model(model), device=device, precision=precision)


def available_threads() -> int:
    """Count the processors that this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)  # on Linux alone
    return len(allowed(0)) if allowed else os.cpu_count() or 1
