"""In which arithmetic a recogniser multiplies: float32, or bfloat16 where the machine has units for it."""

from typing import Literal

import torch
from torch import nn

from asr_s2s.errors import ConfigError

Precision = Literal["auto", "float32", "bfloat16"]
PRECISIONS: tuple[Precision, ...] = ("auto", "float32", "bfloat16")


def prefers_bfloat16(precision: str, *, device: torch.device) -> bool:
    """Tell whether to multiply in bfloat16; "auto" does on a GPU or processor that has units for such products.

    Raises ConfigError for another word.
    """
    if precision == "auto":
        if device.type == "cuda":
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
        able = torch.cpu.get_capabilities()
        return bool(able.get("amx_bf16") or able.get("avx512_bf16"))
    if precision not in PRECISIONS:
        raise ConfigError(f"precision {precision}: unknown. Choose from {', '.join(PRECISIONS)}.")
    return precision == "bfloat16"


def narrow(model: nn.Module) -> None:
    """Keep the matrices of large products in bfloat16, so that autocast need not narrow them at every step.

    Normalisation and what is added up between layers stay in float32.
    """
    for part in model.modules():
        if isinstance(part, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Embedding):  # an embedding may be the output layer
            part.to(torch.bfloat16)
