"""What a recogniser may be asked for: each value is looked at before it is used."""

import os
import re
from functools import cache, partial
from typing import Annotated, Any, Self

import torch
from pydantic import BeforeValidator, Field

from asr_s2s.config import PartConfig, check_config
from asr_s2s.decoding import MOST_BEAM
from asr_s2s.errors import ConfigError
from asr_s2s.recognizer.precision import Precision


def _several(words: Any) -> Any:
    if isinstance(words, str | bytes):
        raise ValueError("is one text, not a list of words. Give ['one', 'two']")  # noqa: TRY004 - pydantic's way
    return words


class Options(PartConfig):
    """What Recognizer takes beside a model, see there."""

    beam: Annotated[int, Field(ge=1, le=MOST_BEAM)] | None
    precision: Precision
    find_speech: bool
    repair: bool
    hotwords: Annotated[tuple[str, ...], BeforeValidator(_several), Field(strict=False)]

    @classmethod
    def checked(cls, **values: Any) -> Self:
        """Look at each value. Raises ConfigError that names what cannot be."""
        return check_config(values, cls, origin="a recogniser's options")


def device_of(name: str) -> torch.device:
    """Find a device by its name. Raises ConfigError where there is none."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if not re.fullmatch(r"cpu|cuda(:\d{1,3})?", name):
        raise ConfigError(f"device '{name}': unknown. Choose from auto, cpu, cuda, cuda:0, cuda:1 ...")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        has = torch.cuda.device_count() or "no"
        raise ConfigError(f"device '{name}': this machine has {has} such devices that torch can use. Take cpu or auto.")
    return device


@cache
def survive_forks() -> None:
    """Let a forked process transcribe, with one thread: those of its parent are not in it, and are waited for."""
    os.register_at_fork(after_in_child=partial(torch.set_num_threads, 1))
