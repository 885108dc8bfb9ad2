"""model.safetensors as it is written: the weights of a network, narrow or whole, and what they belong to.

What reads it again is `stored`.
"""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor, nn

from asr_s2s.errors import CheckpointError
from asr_s2s.files import atomic_write
from asr_s2s.model_store.names import stored_name
from asr_s2s.model_store.quantize import pack, quantize
from asr_s2s.model_store.stored import FORMAT_VERSION, PACKED, SCALE

# compact: six bits, and what is widest in a model of words, the table of its embeddings, in five; small: five, and the
# embeddings in six, with scales of the least squared error
Storage = Literal["float32", "float16", "int8", "compact", "small"]
EMBEDDING = "decoder.embedding.weight"
# bits, and how many weights share a scale, of the embeddings and of other matrices: in so few bits a scale for a whole
# row is too coarse
PACKINGS = {"compact": ((5, 32), (6, 64)), "small": ((6, 32), (5, 64))}


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
            _sort_header(temporary)
    except (OSError, SafetensorError) as error:
        free, size = shutil.disk_usage(path.parent).free, sum(value.nbytes for value in stored.values())
        raise CheckpointError(
            f"{path}: cannot be written ({error}). It needs {size / 1e6:.1f} MB, {free / 1e6:.1f} MB are free."
        ) from error


def _sort_header(path: Path) -> None:
    """Put the metadata in order, which safetensors writes in another one each time: equal models are equal files."""
    with path.open("r+b") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        content = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        file.seek(8)
        file.write(content.ljust(size))


def fingerprint_of(parts: Any) -> str:
    """Name what an architecture is made of, a tree that JSON can hold."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _stored(state: dict[str, Tensor], storage: Storage) -> tuple[dict[str, Tensor], dict[str, int]]:
    """Narrow what is large: weights with two axes or more; the rest is a thousandth of the size and stays whole.

    returns: what is written, by name, and the bits of each tensor that is packed
    """
    stored: dict[str, Tensor] = {}
    packed: dict[str, int] = {}
    for name, value in ((stored_name(name), value) for name, value in state.items()):
        tensor = value.detach().cpu().contiguous()
        if storage == "float32" or tensor.dim() < 2 or not tensor.is_floating_point():
            stored[name] = tensor
        elif storage == "float16":
            stored[name] = tensor.to(torch.float16)
        else:
            bits, group = PACKINGS.get(storage, PACKINGS["compact"])[0 if name.endswith(EMBEDDING) else 1]
            if storage in PACKINGS and tensor.dim() == 2 and tensor.size(1) % group == 0:
                fitted = storage == "small"
                values, scale = quantize(tensor.float().numpy().reshape(-1, group), bits=bits, fitted=fitted)
                stored[name], packed[name] = torch.from_numpy(pack(values.reshape(tensor.shape), bits=bits)), bits
                stored[name + SCALE] = torch.from_numpy(scale).view(len(tensor), -1).to(torch.float16)
            else:
                values, scale = quantize(tensor.float().numpy())
                stored[name], stored[name + SCALE] = torch.from_numpy(values), torch.from_numpy(scale)
    return stored, packed
