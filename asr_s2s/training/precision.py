"""Which arithmetic a run uses: float32, or half of it for the large products while weights stay float32."""

import time
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

Arithmetic = Literal["float32", "bfloat16", "float16"]
Precision = Literal["float32", "bfloat16", "float16", "auto"]
TRIALS = 3


def autocast(device: torch.device, arithmetic: str) -> torch.autocast:
    """Compute the large products of what is inside in an arithmetic."""
    narrow = {"bfloat16": torch.bfloat16, "float16": torch.float16}.get(arithmetic)
    return torch.autocast(device.type, narrow or torch.bfloat16, enabled=narrow is not None)


def choose_arithmetic(
    precision: Precision, *, device: torch.device, loss_of: Callable[[Arithmetic], Tensor], model: nn.Module
) -> Arithmetic:
    """Decide once, at the start of a run; "auto" takes float32 or bfloat16, what this machine is faster with.

    loss_of: computes the loss of one batch in an arithmetic
    """
    if precision != "auto":
        return precision
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    random_state = torch.get_rng_state()
    float32 = _fastest(lambda: torch.autograd.backward(loss_of("float32")))
    bfloat16 = _fastest(lambda: torch.autograd.backward(loss_of("bfloat16")))
    model.zero_grad(set_to_none=True)
    torch.set_rng_state(random_state)
    return "bfloat16" if bfloat16 < float32 else "float32"


def _fastest(work: Callable[[], None]) -> float:
    """Time some trials and give the shortest: the others had neighbours, or were the first."""
    times = []
    for _ in range(TRIALS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)
