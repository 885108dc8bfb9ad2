"""model.safetensors: the weights of a network, narrow or whole, and in the header the architecture they belong to."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from asr_s2s.errors import CheckpointError, listed
from asr_s2s.files import atomic_write
from asr_s2s.model_store.quantize import dequantize, pack, quantize, unpack

FORMAT_VERSION = "1"
CONFIG_FILE = "config.yaml"
WEIGHTS_FILE = "model.safetensors"
SCALE = ".scale"

# compact: six bits, and what is widest in a model of words, the table of its embeddings, in five
Storage = Literal["float32", "float16", "int8", "compact"]
EMBEDDING = "decoder.embedding.weight"
# bits, and how many weights share a scale: in so few bits a scale for a whole row is too coarse
EMBEDDING_BITS = (5, 32)
MATRIX_BITS = (6, 64)
PACKED = "packed"  # in the header: which tensors are packed, in how many bits


def write_weights(path: Path, network: nn.Module, *, storage: Storage, fingerprint: str) -> None:
    """Write all that a network's state holds, whole or not at all; fingerprint names its architecture.

    Raises CheckpointError if the disk does not take it.
    """
    stored, packed = _stored(network.state_dict(), storage)
    header = {"format": FORMAT_VERSION, "storage": storage, "architecture": fingerprint}
    header |= {PACKED: json.dumps(packed)} if packed else {}
    try:
        with atomic_write(path) as temporary:
            save_file(stored, temporary, metadata=header)
    except (OSError, SafetensorError) as error:
        free, size = shutil.disk_usage(path.parent).free, sum(value.nbytes for value in stored.values())
        raise CheckpointError(
            f"{path}: cannot be written ({error}). It needs {size / 1e6:.1f} MB, {free / 1e6:.1f} MB are free."
        ) from error


def fingerprint_of(parts: Any) -> str:
    """Name what an architecture is made of, a tree that JSON can hold."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _stored(state: dict[str, Tensor], storage: Storage) -> tuple[dict[str, Tensor], dict[str, int]]:
    """Narrow what is large: weights with two axes or more; the rest is a thousandth of the size and stays whole.

    returns: what is written, by name, and the bits of each tensor that is packed
    """
    stored: dict[str, Tensor] = {}
    packed: dict[str, int] = {}
    for name, value in state.items():
        tensor = value.detach().cpu().contiguous()
        if storage == "float32" or tensor.dim() < 2 or not tensor.is_floating_point():
            stored[name] = tensor
        elif storage == "float16":
            stored[name] = tensor.to(torch.float16)
        else:
            bits, group = EMBEDDING_BITS if name.endswith(EMBEDDING) else MATRIX_BITS
            if storage == "compact" and tensor.dim() == 2 and tensor.size(1) % group == 0:
                values, scale = quantize(tensor.reshape(-1, group), bits=bits)
                stored[name], packed[name] = pack(values.view(tensor.shape), bits=bits), bits
                stored[name + SCALE] = scale.view(len(tensor), -1).to(torch.float16)
            else:
                stored[name], stored[name + SCALE] = quantize(tensor)
    return stored, packed


def read_weights(path: Path, *, fingerprint: str) -> dict[str, Tensor]:
    """Read weights by name, widened to float32.

    Raises CheckpointError for a damaged file, another format, or the weights of another architecture.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path}: cannot be read ({error}). The file is damaged; copy or train it again."
        ) from error
    if header.get("format") != FORMAT_VERSION:
        raise CheckpointError(
            f"{path}: has format {header.get('format')}, this version reads {FORMAT_VERSION}. "
            "It was written by another version of asr-s2s, or by another program."
        )
    if header.get("architecture") != fingerprint:
        raise CheckpointError(
            f"{path}: was not saved with the {CONFIG_FILE} beside it (features, vocabulary or model differ). "
            "Take both files from the same model; only the 'search' section may be edited."
        )
    packed = json.loads(header.get(PACKED, "{}"))
    scales = {name: tensors.pop(name) for name in list(tensors) if name.endswith(SCALE)}
    return {
        name: _widened(tensors.pop(name), scales.get(name + SCALE), bits=packed.get(name)) for name in list(tensors)
    }


def _widened(tensor: Tensor, scale: Tensor | None, *, bits: int | None) -> Tensor:
    if scale is not None:
        return dequantize(tensor if bits is None else unpack(tensor, bits=bits), scale)
    return tensor.float() if tensor.is_floating_point() else tensor


def fill(module: nn.Module, stored: dict[str, Tensor], *, origin: Path, advice: str) -> None:
    """Load weights after every name and size was compared; CheckpointError that lists what differs."""
    wanted = module.state_dict()
    faults = [f"{name} is missing" for name in wanted.keys() - stored.keys()]
    faults += [f"{name} is unknown" for name in stored.keys() - wanted.keys()]
    faults += [
        f"{name} has shape {tuple(stored[name].shape)} instead of {tuple(wanted[name].shape)}"
        for name in wanted.keys() & stored.keys()
        if stored[name].shape != wanted[name].shape
    ]
    if faults:
        raise CheckpointError(f"{origin}: does not fit: {listed(sorted(faults))}. {advice}")
    module.load_state_dict(stored, assign=True)
