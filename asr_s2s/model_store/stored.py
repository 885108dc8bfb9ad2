"""model.safetensors as it is read: the header first, which shows whether the rest fits, then the weights.

A file may come from anywhere: what it says is compared with the network before memory is taken for it. Nothing here
needs torch.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, ValidationError
from safetensors import SafetensorError, safe_open

from asr_s2s.errors import CheckpointError, listed
from asr_s2s.files import is_file
from asr_s2s.model_store.quantize import dequantize, unpack

FORMAT_VERSION = "1"
CONFIG_FILE = "config.yaml"
WEIGHTS_FILE = "model.safetensors"
SCALE = ".scale"
PACKED = "packed"  # in the header: which tensors are packed, in how many bits
FOREIGN_TYPES = {"BF16", "F8_E4M3", "F8_E5M2"}  # which NumPy lacks, and nothing here writes
PACKED_BITS = TypeAdapter(dict[str, Annotated[int, Field(ge=2, le=8, strict=True)]])

Shape = tuple[int, ...]


def check_complete(folder: Path) -> None:
    """Raise CheckpointError unless configuration and weights are files of a folder."""
    if missing := [name for name in (CONFIG_FILE, WEIGHTS_FILE) if not is_file(folder / name)]:
        raise CheckpointError(f"{folder}: is not a complete model directory. Missing: {listed(missing)}.")


@dataclass(frozen=True)
class StoredWeights:
    """What a file's header promises of its weights, widened and unpacked; nothing else of it has been read.

    architecture: the fingerprint of the configuration that they were saved with
    bits: of the tensors that are packed; scales: the names of those that hold the scale of another
    """

    path: Path
    architecture: str
    shapes: Mapping[str, Shape]
    bits: Mapping[str, int]
    scales: frozenset[str]

    def read(self, names: Iterable[str] | None = None) -> dict[str, NDArray[Any]]:
        """Read some weights by name, or all, widened to float32. Raises CheckpointError for a damaged file."""
        try:
            with safe_open(self.path, framework="np") as file:
                return {name: self._widened(file, name) for name in (self.shapes if names is None else names)}
        except (SafetensorError, OSError, ValueError) as error:  # ValueError: of scales that do not fit
            raise _damaged(self.path, error) from error

    def _widened(self, file: Any, name: str) -> NDArray[Any]:
        tensor: NDArray[Any] = file.get_tensor(name)
        if name + SCALE in self.scales:
            scale = file.get_tensor(name + SCALE)
            return dequantize(unpack(tensor, bits=self.bits[name]) if name in self.bits else tensor, scale)
        return tensor.astype(np.float32, copy=False) if np.issubdtype(tensor.dtype, np.floating) else tensor


def open_weights(path: Path, *, fingerprint: str | None = None) -> StoredWeights:
    """Read a file's header.

    Raises CheckpointError for a damaged file, another format, or the weights of another architecture, if one is given.
    """
    try:
        path.open("rb").close()  # safetensors calls a file that may not be read missing
        with safe_open(path, framework="np") as file:
            header = file.metadata() or {}
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            shapes = {name: tuple(part.get_shape()) for name, part in slices.items()}
            types = {name: part.get_dtype() for name, part in slices.items()}
    except OSError as error:
        reason = error.strerror or error
        raise CheckpointError(f"{path}: cannot be read ({reason}). Check its permissions, or copy it again.") from error
    except SafetensorError as error:
        raise _damaged(path, error) from error
    if header.get("format") != FORMAT_VERSION:
        raise CheckpointError(
            f"{path}: has format {header.get('format')}, this version reads {FORMAT_VERSION}. "
            "It was written by another version of asr-s2s, or by another program."
        )
    architecture = header.get("architecture", "")
    if fingerprint not in (None, architecture):
        raise CheckpointError(
            f"{path}: was not saved with the {CONFIG_FILE} beside it (features, vocabulary or model differ). "
            "Take both files from the same model; only the 'search' section may be edited."
        )
    if foreign := [name for name, kind in types.items() if kind in FOREIGN_TYPES]:
        raise _damaged(path, f"{listed(foreign)} has a type that no model is stored in")
    bits = _bits(header.get(PACKED, "{}"), origin=path)
    scales = {name for name in shapes if name.endswith(SCALE)}
    if wrong := [
        name for name in bits if name + SCALE not in scales or types.get(name) != "U8" or len(shapes[name]) != 2
    ]:
        raise _damaged(path, f"{listed(wrong)} cannot be unpacked")
    return StoredWeights(
        path,
        architecture,
        {name: _unpacked(shape, bits.get(name)) for name, shape in shapes.items() if name not in scales},
        bits,
        frozenset(scales),
    )


def _bits(text: str, *, origin: Path) -> dict[str, int]:
    """Read the list of packed tensors from the header."""
    try:
        return PACKED_BITS.validate_json(text)
    except ValidationError as error:
        raise _damaged(origin, f"its list of packed weights is {text[:60]!r}") from error


def _unpacked(shape: Shape, bits: int | None) -> Shape:
    return shape if bits is None else (*shape[:-1], shape[-1] * 8 // bits)


def _damaged(path: Path, error: object) -> CheckpointError:
    return CheckpointError(f"{path}: cannot be read ({error}). The file is damaged; copy or train it again.")


def check_finite(weights: Mapping[str, NDArray[Any]], *, origin: Path) -> None:
    """Raise CheckpointError that lists the weights that are NaN or infinite."""
    if broken := sorted(name for name, values in weights.items() if not _is_finite(values)):
        raise CheckpointError(
            f"{origin}: holds weights that are NaN or infinite: {listed(broken)}. "
            "The training that made it went wrong; take an earlier checkpoint."
        )


def _is_finite(values: NDArray[Any]) -> bool:
    """Return whether there is no NaN or infinity: where the sum is finite, which is quicker to know, there is none."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(values.sum())) or bool(np.isfinite(values).all())
