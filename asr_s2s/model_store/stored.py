"""model.safetensors as it is read: the header first, which shows whether the rest fits, then the weights.

A file may come from anywhere: what it says is compared with the network before memory is taken for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from asr_s2s.errors import CheckpointError, listed
from asr_s2s.files import is_file
from asr_s2s.model_store.quantize import dequantize, unpack
from asr_s2s.model_store.weights import CONFIG_FILE, FORMAT_VERSION, PACKED, SCALE, WEIGHTS_FILE

PACKED_BITS = TypeAdapter(dict[str, Annotated[int, Field(ge=2, le=8, strict=True)]])

Shape = tuple[int, ...]


def check_complete(folder: Path) -> None:
    """Raise CheckpointError unless configuration and weights are files of a folder."""
    if missing := [name for name in (CONFIG_FILE, WEIGHTS_FILE) if not is_file(folder / name)]:
        raise CheckpointError(f"{folder}: is no complete model directory, {listed(missing)} is missing.")


@dataclass(frozen=True)
class StoredWeights:
    """What a file's header promises of its weights, widened and unpacked; nothing else of it has been read.

    bits: of the tensors that are packed; scales: the names of those that hold the scale of another
    """

    path: Path
    shapes: Mapping[str, Shape]
    bits: Mapping[str, int]
    scales: frozenset[str]

    def read(self) -> dict[str, Tensor]:
        """Read the weights by name, widened to float32. Raises CheckpointError for a damaged file."""
        try:
            with safe_open(self.path, framework="pt") as file:
                return {name: self._widened(file, name) for name in self.shapes}
        except (SafetensorError, OSError, RuntimeError, ValueError) as error:  # torch: of scales that do not fit
            raise _damaged(self.path, error) from error

    def _widened(self, file: Any, name: str) -> Tensor:
        tensor: Tensor = file.get_tensor(name)
        if name + SCALE in self.scales:
            scale = file.get_tensor(name + SCALE)
            return dequantize(unpack(tensor, bits=self.bits[name]) if name in self.bits else tensor, scale)
        return tensor.float() if tensor.is_floating_point() else tensor


def open_weights(path: Path, *, fingerprint: str) -> StoredWeights:
    """Read a file's header.

    Raises CheckpointError for a damaged file, another format, or the weights of another architecture.
    """
    try:
        path.open("rb").close()  # safetensors calls a file that may not be read missing
        with safe_open(path, framework="pt") as file:
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
    if header.get("architecture") != fingerprint:
        raise CheckpointError(
            f"{path}: was not saved with the {CONFIG_FILE} beside it (features, vocabulary or model differ). "
            "Take both files from the same model; only the 'search' section may be edited."
        )
    bits = _bits(header.get(PACKED, "{}"), origin=path)
    scales = {name for name in shapes if name.endswith(SCALE)}
    if wrong := [
        name for name in bits if name + SCALE not in scales or types.get(name) != "U8" or len(shapes[name]) != 2
    ]:
        raise _damaged(path, f"{listed(wrong)} cannot be unpacked")
    return StoredWeights(
        path,
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


def load_into(module: nn.Module, stored: StoredWeights) -> None:
    """Fill a network from a file, whose header is compared first. Raises CheckpointError that lists what differs."""
    advice = f"{CONFIG_FILE} or the weights are damaged."
    _check_names(module, stored.shapes, origin=stored.path, advice=advice)
    fill(module, stored.read(), origin=stored.path, advice=advice)


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
    if broken := sorted(name for name, tensor in stored.items() if not _is_finite(tensor)):
        raise CheckpointError(
            f"{origin}: holds weights that are NaN or infinite: {listed(broken)}. "
            "The training that made it went wrong; take an earlier checkpoint."
        )
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


def _is_finite(tensor: Tensor) -> bool:
    """Tell whether there is no NaN or infinity: where the sum is finite, which is quicker to know, there is none."""
    return bool(tensor.sum().isfinite()) or bool(tensor.isfinite().all())
