"""What a recogniser may be asked for: the only place beside the command line that names an option."""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError

from asr_s2s.config import PartConfig, config_error
from asr_s2s.decoding import MOST_BEAM
from asr_s2s.limits import MOST_THREADS
from asr_s2s.text.languages import language_code

Precision = Literal["auto", "float32", "bfloat16", "int8"]
AUTO, EACH, MANIFEST = DETECTED = ("auto", "each", "manifest")
TRANSCRIBE, TRANSLATE = "transcribe", "translate"
MOST_PROMPT = 100_000  # characters, of which a model reads the last few hundred
DEVICE = re.compile(r"auto|cpu|cuda(:\d{1,3})?")


def _several(words: Any) -> Any:
    if isinstance(words, str | bytes):
        raise ValueError("is one text, not a list of words. Give ['one', 'two']")  # noqa: TRY004 - pydantic's way
    return words


def _language(language: Any) -> Any:
    if not isinstance(language, str) or language in DETECTED:
        return language
    return language_code(language)


def _path(path: Any) -> Any:
    return Path(path) if isinstance(path, str | os.PathLike) else path


class _Options(PartConfig):
    """Values that are checked when they are given. Raises ConfigError that names what cannot be."""

    if not TYPE_CHECKING:  # which knows the fields

        def __init__(self, **values: Any) -> None:
            try:
                super().__init__(**values)
            except ValidationError as error:
                raise config_error(error, values, origin="a recogniser's options") from error


def _known(device: Any) -> Any:
    if not DEVICE.fullmatch(str(device)):
        raise ValueError(f"unknown device '{device}'. Choose from auto, cpu, cuda, cuda:0, cuda:1 ...")
    return str(device)


class ComputeOptions(_Options):
    """What computes, for all that a recogniser is asked.

    runtime: 'onnx', which needs no torch; 'torch'; 'auto' takes torch for a GPU, and for models without graphs
    device: 'cpu', 'cuda', 'cuda:1'; 'auto' takes a GPU where there is one
    precision: 'float32', 'bfloat16' (torch) or 'int8' (onnx, products with weights); 'auto' takes the narrow one where
        the machine has units for it
    threads: of the processor; None takes all that this process may use
    """

    runtime: Literal["auto", "onnx", "torch"] = "auto"
    device: Annotated[str, BeforeValidator(_known)] = "auto"
    precision: Precision = "auto"
    threads: Annotated[int, Field(ge=1, le=MOST_THREADS)] | None = None


class DecodeOptions(_Options):
    """How recordings are recognised; it travels with them, to other processes and machines too.

    beam: hypotheses kept by the search, 1 for greedy; the model's own default where None
    find_speech: transcribe only where the detector finds speech; without, recordings are cut at their pauses alone
    repair: search again what ran in circles or was cut off, and where speech lies under no word
    hotwords: words and phrases to expect, as they are to be written
    language: spoken in the recordings: a code or a name; 'auto' detects one for each recording, 'each' one for each
        piece of it, 'manifest' takes the language of an utterance's line, and detects it where there is none. A model
        of one language takes that, whatever a line says.
    task: 'transcribe', or 'translate' into English, which gives no times of words
    prompt: what was said before, or names and a style that are expected, for a model with a place for it
    language_model: the folder of one that was trained with the model's vocabulary, or the file of a word n-gram model;
        its log probabilities are weighted by search.language_weight
    """

    beam: Annotated[int, Field(ge=1, le=MOST_BEAM)] | None = None
    find_speech: bool = True
    repair: bool = True
    hotwords: Annotated[tuple[str, ...], BeforeValidator(_several), Field(strict=False)] = ()
    language: Annotated[str, BeforeValidator(_language)] = AUTO
    task: Literal["transcribe", "translate"] = "transcribe"
    prompt: Annotated[str | None, Field(max_length=MOST_PROMPT)] = None
    language_model: Annotated[Path | None, BeforeValidator(_path)] = None
