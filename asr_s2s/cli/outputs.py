"""Refuse files and folders that cannot be written while there is nothing to lose yet."""

import os
from collections.abc import Iterable
from pathlib import Path

from asr_s2s.errors import ConfigError
from asr_s2s.files import check_folder, check_writable


def check_outputs(outputs: Iterable[Path | None], inputs: Iterable[Path]) -> None:
    """Raise ConfigError for an output that cannot be written, is named twice, or is one of the inputs."""
    taken = {os.path.realpath(path) for path in inputs}
    for path in outputs:
        if path is None:
            continue
        if (place := os.path.realpath(path)) in taken:
            raise ConfigError(f"{path}: is an input, or another output. Name a file of its own.")
        taken.add(place)
        try:
            check_writable(path)
        except OSError as error:
            raise ConfigError(f"{path}: cannot be written ({error.strerror}). Name another file.") from error


def check_output_folder(folder: Path) -> None:
    """Raise ConfigError for a folder into which no file can be written."""
    try:
        check_folder(folder)
    except OSError as error:
        raise ConfigError(f"{folder}: no file can be written there ({error.strerror}). Name another folder.") from error
