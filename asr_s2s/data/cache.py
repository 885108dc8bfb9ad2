"""Tensors on disk, so that what was computed for one epoch, model or seed is not computed again for the next.

An entry is one file, named by a hash of all that its values depend on, and appears whole by a rename: many processes
may read and fill one folder at a time, and sets that share utterances share entries. The folder may be deleted.
"""

import hashlib
import json
import uuid
from collections.abc import Mapping
from operator import itemgetter
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from asr_s2s.errors import AudioError, ConfigError
from asr_s2s.features import FrontEnd
from asr_s2s.manifest import Utterance

VERSION = 2  # raise it when a filterbank's values change: entries of other versions are not found


class TensorCache:
    """A folder of named tensors under keys; a damaged entry counts as absent."""

    def __init__(self, folder: Path) -> None:
        """Open or make the folder; ConfigError if that is not allowed."""
        self.folder = folder
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(_unwritable(self.folder, error)) from error

    def read(self, key: str) -> dict[str, Tensor] | None:
        """Return the tensors of a key, or None."""
        try:
            return load_file(self._path(key))
        except (OSError, SafetensorError):  # absent, or cut short when the power went
            return None

    def write(self, key: str, tensors: Mapping[str, Tensor]) -> None:
        """Keep the tensors of a key; ConfigError if the folder takes no more."""
        path = self._path(key)
        temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")  # two threads may compute the same entry
        try:
            path.parent.mkdir(exist_ok=True)
            save_file(dict(tensors), temporary)  # not synced: what is lost is computed again
            temporary.replace(path)
        except (OSError, SafetensorError) as error:
            temporary.unlink(missing_ok=True)
            raise ConfigError(_unwritable(path, error)) from error

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.safetensors"


def feature_cache(folder: Path, front_end: FrontEnd) -> TensorCache:
    """Open the cache of one filterbank's features, not yet normalised: "features" (time, mel)."""
    return TensorCache(folder / fingerprint(front_end))


def samples_key(utterance: Utterance, *, speed: float) -> str:
    """Name all that an utterance's samples depend on: the file as it is now, the piece of it, the speed factor.

    Raises AudioError if there is no such file.
    """
    path = utterance.audio_path.resolve()
    try:
        state = path.stat()
    except OSError as error:
        raise AudioError(f"{utterance.audio_path}: cannot be found ({error.strerror}). Check the path.") from error
    parts = [utterance.id, str(path), state.st_size, state.st_mtime_ns, utterance.offset, utterance.duration, speed]
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()


def fingerprint(front_end: FrontEnd) -> str:
    """Name what a front end's filterbank computes: its class, its settings and its tables."""
    settings = {
        name: value
        for name, value in sorted(vars(front_end.filterbank).items())
        if not name.startswith("_") and name != "training" and isinstance(value, bool | int | float | str | None)
    }
    kind = type(front_end.filterbank).__name__
    digest = hashlib.blake2b(json.dumps([VERSION, kind, settings]).encode(), digest_size=8)
    tables = [*front_end.named_buffers(), *front_end.named_parameters()]  # a frozen encoder may be part of it
    for name, table in sorted(tables, key=itemgetter(0)):
        if name.startswith("filterbank."):
            digest.update(name.encode() + table.detach().cpu().numpy().tobytes())
    return digest.hexdigest()


def _unwritable(path: Path, error: OSError | SafetensorError) -> str:
    reason = (error.strerror if isinstance(error, OSError) else None) or error
    return f"{path}: nothing can be kept here ({reason}). Name another folder as cache."
