"""Features on disk, so that the second epoch, model or seed decodes no audio.

An entry is one file, named by a hash of all that its values depend on, and appears whole by a rename: many processes
may read and fill one folder at a time, and sets that share utterances share entries. The folder may be deleted.
"""

import hashlib
import json
import uuid
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from asr_s2s.errors import AudioError, ConfigError
from asr_s2s.features import FrontEnd
from asr_s2s.manifest import Utterance

VERSION = 1  # raise it when a filterbank's values change: entries of other versions are not found


class FeatureCache:
    """A folder of features, not yet normalised; a damaged entry counts as absent."""

    def __init__(self, folder: Path, front_end: FrontEnd) -> None:
        """Open or make the folder for one filterbank's features; its normalisation does not matter."""
        self.folder = folder / fingerprint(front_end)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(_unwritable(self.folder, error)) from error

    def read(self, key: str) -> Tensor | None:
        """Give the features (time, mel) of a key, or None."""
        try:
            return torch.from_numpy(np.load(self._path(key)))
        except (OSError, ValueError, EOFError):  # absent, or cut short when the power went
            return None

    def write(self, key: str, features: Tensor) -> None:
        """Keep the features (time, mel) of a key."""
        path = self._path(key)
        temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")  # two threads may compute the same entry
        try:
            path.parent.mkdir(exist_ok=True)
            with temporary.open("wb") as file:  # not synced: what is lost is computed again
                np.save(file, features.numpy())
            temporary.replace(path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise ConfigError(_unwritable(path, error)) from error

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.npy"


def feature_key(utterance: Utterance, *, speed: float) -> str:
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
    for name, table in sorted(front_end.named_buffers()):
        if name.startswith("filterbank."):
            digest.update(name.encode() + table.cpu().numpy().tobytes())
    return digest.hexdigest()


def _unwritable(path: Path, error: OSError) -> str:
    return f"{path}: features cannot be kept here ({error.strerror}). Name another data.cache, or null for none."
