"""What a recognition may be asked for: the only place beside the command line that names a decoding option."""

import os
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field

from asr_s2s.config import PartConfig, check_config
from asr_s2s.decoding import MOST_BEAM


def _several(words: Any) -> Any:
    if isinstance(words, str | bytes):
        raise ValueError("is one text, not a list of words. Give ['one', 'two']")  # noqa: TRY004 - pydantic's way
    return words


def _path(path: Any) -> Any:
    return Path(path) if isinstance(path, str | os.PathLike) else path


class DecodeOptions(PartConfig):
    """How recordings are recognised; it travels with them, to other processes and machines too.

    beam: hypotheses kept by the search, 1 for greedy; the model's own default where None
    find_speech: transcribe only where the detector finds speech; without, recordings are cut at their pauses alone
    repair: search again what ran in circles or was cut off, and where speech lies under no word
    hotwords: words and phrases that are expected, as they shall be written
    language_model: the folder of one that was trained with the model's vocabulary, or the file of a word n-gram model;
        it counts search.language_weight beside the model's own opinion
    """

    beam: Annotated[int, Field(ge=1, le=MOST_BEAM)] | None = None
    find_speech: bool = True
    repair: bool = True
    hotwords: Annotated[tuple[str, ...], BeforeValidator(_several), Field(strict=False)] = ()
    language_model: Annotated[Path | None, BeforeValidator(_path)] = None

    @classmethod
    def checked(cls, **values: Any) -> Self:
        """Look at each value. Raises ConfigError that names what cannot be."""
        return check_config(values, cls, origin="a recogniser's options")
