"""A model made ready in torch: on a device, in a precision."""

import os
from functools import cache, partial
from pathlib import Path

import torch
from torch import nn

from asr_s2s.engine.torch_engine import TorchEngine
from asr_s2s.engine.torch_language import TorchLanguageEngine
from asr_s2s.errors import ConfigError
from asr_s2s.model_store.directory import SpeechSystem
from asr_s2s.model_store.language import load_language_model
from asr_s2s.recognizer.model import ReadyModel
from asr_s2s.recognizer.options import ComputeOptions, Precision


def in_torch(system: SpeechSystem, *, device: str = "cpu", precision: Precision = "float32") -> ReadyModel:
    """Put a model on a device.

    device: 'cpu', 'cuda', 'cuda:1', or 'auto', a GPU where there is one
    precision: 'float32'; 'bfloat16', which narrows the system's weights; or 'auto', bfloat16 where the machine is made
        for it
    Raises ConfigError for another value, or a device that is not there
    """
    compute = ComputeOptions(device=device, precision=precision)
    if compute.precision == "int8":
        raise ConfigError("precision 'int8': torch takes float32 or bfloat16. Take the onnx runtime.")
    where = _device(compute.device)
    _survive_forks()
    system.model.to(where).eval()
    system.front_end.to(where).eval()
    bfloat16 = _prefers_bfloat16(compute.precision, device=where)
    if bfloat16:
        _narrow(system.model)
    return ReadyModel(
        name=system.name,
        vocabulary=system.vocabulary,
        search=system.config.search,
        engine=TorchEngine(system.model, system.front_end, device=where, bfloat16=bfloat16),
        open_language=partial(_language, device=where),
    )


def _language(folder: Path, *, device: torch.device) -> TorchLanguageEngine:
    system = load_language_model(folder)
    return TorchLanguageEngine(system.model, vocabulary_size=system.vocabulary.size, device=device)


def _device(name: str) -> torch.device:
    """Find a device by its name. Raises ConfigError where there is none."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        has = torch.cuda.device_count() or "no"
        raise ConfigError(f"device '{name}': this machine has {has} such devices that torch can use. Take cpu or auto.")
    return device


def _prefers_bfloat16(precision: str, *, device: torch.device) -> bool:
    """Return whether to multiply in bfloat16; "auto" does on a GPU or processor that has units for such products."""
    if precision == "auto":
        if device.type == "cuda":
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
        able = torch.cpu.get_capabilities()
        return bool(able.get("amx_bf16") or able.get("avx512_bf16"))
    return precision == "bfloat16"


def _narrow(model: nn.Module) -> None:
    """Keep the matrices of large products in bfloat16, so that autocast need not narrow them at every step.

    Normalisation and what is added up between layers stay in float32.
    """
    for part in model.modules():
        if isinstance(part, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Embedding):  # an embedding may be the output layer
            part.to(torch.bfloat16)


@cache
def _survive_forks() -> None:
    """Let a forked process transcribe, with one thread: those of its parent are not in it, and are waited for."""
    if hasattr(os, "register_at_fork"):  # Windows does not fork
        os.register_at_fork(after_in_child=partial(torch.set_num_threads, 1))
