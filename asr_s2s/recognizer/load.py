"""A recogniser from names: of a model, a runtime, a device, a precision."""

import importlib.util
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from asr_s2s.errors import ConfigError, MissingExtraError
from asr_s2s.files import is_file, is_folder
from asr_s2s.model_store import model_folder, open_model
from asr_s2s.model_store.graphs import graph_path
from asr_s2s.recognizer.in_onnx import in_onnx
from asr_s2s.recognizer.model import ReadyModel
from asr_s2s.recognizer.options import ComputeOptions, DecodeOptions, Precision
from asr_s2s.recognizer.recognizer import Recognizer

GPU_DRIVER = Path("/proc/driver/nvidia/version")


def load(
    model: str | Path = "en",
    *,
    runtime: Literal["auto", "onnx", "torch"] = "auto",
    device: str = "auto",
    precision: Precision = "auto",
    threads: int | None = None,
    beam: int | None = None,
    find_speech: bool = True,
    repair: bool = True,
    hotwords: Iterable[str] = (),
    language: str = "auto",
    task: Literal["transcribe", "translate"] = "transcribe",
    prompt: str | None = None,
    language_model: str | Path | None = None,
) -> Recognizer:
    """Load a shipped model by its name, or any model directory, ready to transcribe.

    runtime: 'onnx', which needs no torch; 'torch'; 'auto' takes torch for a GPU, and for models without graphs
    device: 'cpu', 'cuda', 'cuda:1'; 'auto' takes a GPU where there is one
    precision: 'float32', 'bfloat16' (torch) or 'int8' (onnx); 'auto' takes the narrow one where the processor has units
        for it
    threads: of the processor; None takes all that this process may use
    beam: hypotheses kept by the search, 1 for greedy; the model's own default where None
    find_speech: transcribe only where the detector finds speech; without, recordings are cut at their pauses alone
    repair: search again what ran in circles or was cut off, and where speech lies under no word
    hotwords: words and phrases to expect, as they are to be written
    language: spoken in the recordings, for a model of several: a code or a name; 'auto' detects one for each recording,
        'each' one for each piece of it, 'manifest' takes that of an utterance
    task: 'transcribe', or 'translate' into English, which gives no times of words
    prompt: what was said before, or names and a style that are expected, for a model with a place for it
    language_model: the folder of one that was trained with the model's vocabulary, or the file of a word n-gram model
    Raises CheckpointError if there is no such model or it is damaged, ConfigError for a value that an option cannot
        have, MissingExtraError where torch is needed and not installed.

    >>> model = load("commands", threads=1)
    >>> model.transcribe("tests/data/lbby5a.ogg").text
    'lay blue by y five again'
    """
    compute = ComputeOptions(runtime=runtime, device=device, precision=precision, threads=threads)
    decode = DecodeOptions(
        beam=beam,
        find_speech=find_speech,
        repair=repair,
        hotwords=hotwords,  # type: ignore[arg-type]  # made a tuple
        language=language,
        task=task,
        prompt=prompt,
        language_model=language_model,  # type: ignore[arg-type]  # made a path
    )
    return Recognizer(_ready(model, compute, decode), decode)


def _ready(model: str | Path, compute: ComputeOptions, decode: DecodeOptions) -> ReadyModel:
    folders = [folder for folder in (model_folder(model), decode.language_model) if folder and is_folder(folder)]
    threads = compute.threads or available_threads()
    if (compute.runtime if compute.runtime != "auto" else _runtime(folders, compute)) == "torch":
        return _ready_in_torch(model, compute, threads=threads)
    for name, value in (("device", compute.device), ("precision", compute.precision)):
        if value not in ("auto", "cpu", "float32", "int8"):
            raise ConfigError(
                f"{name} '{value}': the onnx runtime computes on the processor in float32 or int8. Take torch."
            )
    return in_onnx(open_model(model), threads=threads, precision=compute.precision)


def _runtime(folders: Sequence[Path], compute: ComputeOptions) -> Literal["onnx", "torch"]:
    """Choose a runtime, without a look into torch: its import takes longer than many a transcription."""
    if compute.precision == "bfloat16" or compute.device.startswith("cuda"):
        return "torch"
    if compute.precision == "int8":
        return "onnx"
    has_torch = importlib.util.find_spec("torch") is not None
    gpu = compute.device == "auto" and GPU_DRIVER.exists()
    has_graphs = all(is_file(graph_path(folder, "step")) for folder in folders)
    return "torch" if has_torch and (gpu or not has_graphs) else "onnx"


def _ready_in_torch(model: str | Path, compute: ComputeOptions, *, threads: int) -> ReadyModel:
    try:
        import torch  # noqa: PLC0415 - an optional dependency

        from asr_s2s.model_store.directory import load_model  # noqa: PLC0415
        from asr_s2s.recognizer.in_torch import in_torch  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "A GPU, bfloat16 and models without graphs need torch: pip install 'asr-s2s[train]'."
        ) from error
    torch.set_num_threads(threads)
    return in_torch(load_model(model), device=compute.device, precision=compute.precision)


def available_threads() -> int:
    """Count the processors that this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)  # on Linux alone
    return len(allowed(0)) if allowed else os.cpu_count() or 1
