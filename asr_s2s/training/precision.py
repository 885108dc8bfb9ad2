"""Which arithmetic a run uses: float32, or bfloat16 for the large products while weights stay float32."""

import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from asr_s2s.training.experiment import Precision

TRIALS = 3


def prefers_bfloat16(
    precision: Precision, *, device: torch.device, loss_of: Callable[[bool], Tensor], model: nn.Module
) -> bool:
    """Decide once, at the start of a run; "auto" takes what this machine is faster with.

    loss_of: computes the loss of one batch, with bfloat16 or without
    """
    if precision != "auto":
        return precision == "bfloat16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    random_state = torch.get_rng_state()
    float32 = _fastest(lambda: torch.autograd.backward(loss_of(False)))
    bfloat16 = _fastest(lambda: torch.autograd.backward(loss_of(True)))
    model.zero_grad(set_to_none=True)
    torch.set_rng_state(random_state)
    return bfloat16 < float32


def _fastest(work: Callable[[], None]) -> float:
    """Time some trials and give the shortest: the others had neighbours, or were the first."""
    times = []
    for _ in range(TRIALS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)
