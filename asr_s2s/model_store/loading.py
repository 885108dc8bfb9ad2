"""Filling a network with weights, after what is to be filled in was compared with what there is."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from asr_s2s.errors import CheckpointError, listed
from asr_s2s.model_store.names import stored_name
from asr_s2s.model_store.stored import CONFIG_FILE, Shape, StoredWeights, check_finite


def load_into(module: nn.Module, stored: StoredWeights) -> None:
    """Fill a network from a file, whose header is compared first. Raises CheckpointError that lists what differs."""
    advice = f"{CONFIG_FILE} or the weights are damaged."
    names = {stored_name(name): name for name in module.state_dict()}
    shapes = {names.get(name, name): shape for name, shape in stored.shapes.items()}
    _check_names(module, shapes, origin=stored.path, advice=advice)
    weights = {names[name]: torch.from_numpy(array) for name, array in stored.read().items()}
    fill(module, weights, origin=stored.path, advice=advice)


def fill(module: nn.Module, stored: dict[str, Tensor], *, origin: Path, advice: str) -> None:
    """Load weights after names, sizes, types and values were looked at; CheckpointError that lists what is wrong."""
    _check_names(module, {name: tuple(tensor.shape) for name, tensor in stored.items()}, origin=origin, advice=advice)
    wanted = module.state_dict()
    foreign = [
        f"{name} holds {stored[name].dtype}, not {wanted[name].dtype}"
        for name in wanted
        if stored[name].dtype != wanted[name].dtype
    ]
    if foreign:
        raise CheckpointError(f"{origin}: does not fit: {listed(sorted(foreign))}. {advice}")
    check_finite({name: tensor.numpy() for name, tensor in stored.items()}, origin=origin)
    module.load_state_dict(stored, assign=True)


def _check_names(module: nn.Module, stored: Mapping[str, Shape], *, origin: Path, advice: str) -> None:
    wanted = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    faults = [f"{name} is missing" for name in wanted.keys() - stored.keys()]
    faults += [f"{name} is unknown" for name in stored.keys() - wanted.keys()]
    faults += [
        f"{name} has shape {stored[name]} instead of {wanted[name]}"
        for name in wanted.keys() & stored.keys()
        if stored[name] != wanted[name]
    ]
    if faults:
        raise CheckpointError(f"{origin}: does not fit: {listed(sorted(faults))}. {advice}")
