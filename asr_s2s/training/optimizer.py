"""The optimizer of a run: AdamW, with the share of the learning rate that each part of the model gets."""

import difflib
from collections.abc import Mapping

import torch
from torch import nn

from asr_s2s.errors import ConfigError, listed
from asr_s2s.model_store.names import stored_name

SHARE = "share"  # of the learning rate, kept with each group of weights


def make_optimizer(
    model: nn.Module, *, weight_decay: float, shares: Mapping[str, float] | None = None
) -> torch.optim.Optimizer:
    """Make AdamW; only matrices decay, because a bias or a norm's scale has no redundancy that decay could remove.

    shares: by the beginning of a weight's name ("encoder.layers.0"), the longest that fits counts; 0 freezes the weight

    Raises ConfigError for a beginning that no weight has.
    """
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, share in shares_by_weight(model, shares or {}).items():
        parameter = model.get_parameter(name)
        parameter.requires_grad = share > 0
        if share:
            decay = weight_decay if parameter.dim() >= 2 else 0.0
            groups.setdefault((share, decay), []).append(parameter)
    if not groups:
        raise ConfigError("training.rates: every weight is frozen. Give some part a share above 0.")
    parts = [
        {"params": weights, "weight_decay": decay, SHARE: share} for (share, decay), weights in sorted(groups.items())
    ]
    return torch.optim.AdamW(parts, betas=(0.9, 0.98), fused=True)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of every group of weights, by its share."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get(SHARE, 1.0)


def shares_by_weight(model: nn.Module, shares: Mapping[str, float]) -> dict[str, float]:
    """Return each weight's share: that of the longest beginning that fits, by whole parts of the name.

    Raises ConfigError for a beginning that no weight has.
    """
    used: set[str] = set()
    found: dict[str, float] = {}
    for name, _ in model.named_parameters():
        parts = name.split(".")
        fitting = [start for end in range(len(parts), 0, -1) if (start := ".".join(parts[:end])) in shares]
        used.update(fitting)
        found[name] = shares[fitting[0]] if fitting else 1.0
    if unknown := sorted(shares.keys() - used):
        beginnings = {".".join(name.split(".")[:end]) for name in found for end in range(1, 4)}
        renamed = [name for name in beginnings if stored_name(f"{name}.") == f"{unknown[0]}."]
        near = renamed or difflib.get_close_matches(unknown[0], beginnings, n=1, cutoff=0.4)
        hint = (
            f"did you mean '{near[0]}'?"
            if near
            else f"Parts: {listed(sorted({name.split('.')[0] for name in found}))}."
        )
        raise ConfigError(f"training.rates: no weight of the model begins with '{unknown[0]}', {hint}")
    return found
