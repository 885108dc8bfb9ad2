"""Round weights to a few bits so that what a layer gives changes least, not the weights themselves.

Frantar 2023: Frantar, Ashkboos, Hoefler, Alistarh, "GPTQ: accurate post-training quantization for generative
pre-trained transformers", ICLR 2023: each column is rounded in turn, and its error is made up for by the columns that
are left, as the second moments of the layer's inputs say.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

OUTPUT = "decoder.embedding"  # which is the output layer too
DAMPING = 0.05  # of the mean second moment: what calibration does not show is not given up


def input_moments(model: nn.Module, run: Callable[[], Iterable[None]]) -> dict[str, Tensor]:
    """Return the second moments (column, column) of the inputs of each linear layer, by its name."""
    moments: dict[str, Tensor] = {}

    def note(name: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        def hook(_: nn.Module, given: tuple[Tensor, ...]) -> None:
            rows = given[0].detach().reshape(-1, given[0].shape[-1]).double()
            moments[name] = moments.get(name, torch.zeros((), dtype=torch.double)) + rows.T @ rows

        return hook

    def note_output(_: nn.Module, __: tuple[Tensor, ...], output: Tensor) -> None:
        note(OUTPUT)(model, (output,))

    hooks = [
        part.register_forward_pre_hook(note(name))
        for name, part in model.named_modules()
        if isinstance(part, nn.Linear)
    ]
    hooks.append(model.get_submodule("decoder.norm").register_forward_hook(note_output))
    for _ in run():
        pass
    for hook in hooks:
        hook.remove()
    return moments


def rounded(weight: Tensor, moments: Tensor, *, bits: int, group: int) -> Tensor:
    """Return a weight (row, column) on the grid of `bits`, `group` weights of a row sharing a scale."""
    largest = 2 ** (bits - 1) - 1
    moments = moments + DAMPING * moments.diagonal().mean() * torch.eye(len(moments), dtype=moments.dtype)
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(moments))
    factor = torch.linalg.cholesky(inverse, upper=True).float()
    left, result = weight.clone(), torch.empty_like(weight)
    for first in range(0, weight.shape[1], group):
        end = first + group
        block, errors = left[:, first:end].clone(), torch.empty(len(weight), group)
        scale = _fitted_scale(block, largest)
        for place in range(group):
            column = first + place
            values = (block[:, place] / scale).round().clamp(-largest, largest) * scale
            result[:, column] = values
            errors[:, place] = (block[:, place] - values) / factor[column, column]
            block[:, place:] -= errors[:, place : place + 1] * factor[column, column:end]
        left[:, end:] -= errors @ factor[first:end, end:]
    return result


def _fitted_scale(block: Tensor, largest: int) -> Tensor:
    """Choose each row's scale by the least squared error of rounding, as a float16 holds it."""
    highest = block.abs().amax(dim=1).clamp_min(1e-8)
    best, least = highest, torch.full_like(highest, torch.inf)
    for step in range(largest, largest * 3 // 2):
        scale = (highest / step).half().float().clamp_min(1e-7)
        values = (block / scale[:, None]).round().clamp(-largest, largest) * scale[:, None]
        error = (values - block).square().sum(dim=1)
        best = torch.where(error < least, scale, best)
        least = torch.minimum(error, least)
    return best
