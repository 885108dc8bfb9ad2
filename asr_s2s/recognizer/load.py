"""A recogniser from names: of a model, a device, a precision."""

from collections.abc import Sequence
from pathlib import Path

from asr_s2s.errors import CheckpointError
from asr_s2s.files import is_file, is_folder
from asr_s2s.model_store import WordNgram
from asr_s2s.model_store.directory import load_model
from asr_s2s.model_store.language import LanguageSystem, load_language_model
from asr_s2s.recognizer.memory import keep_large_blocks
from asr_s2s.recognizer.recognizer import Recognizer


def load(
    model: str | Path = "en",
    *,
    beam: int | None = None,
    device: str = "auto",
    precision: str = "auto",
    find_speech: bool = True,
    repair: bool = True,
    hotwords: Sequence[str] = (),
    language_model: str | Path | None = None,
) -> Recognizer:
    """Load a shipped model by its name, or any model directory, ready to transcribe.

    device: 'auto' takes a GPU where there is one; precision: 'auto' takes bfloat16 where the machine is made for it
    find_speech: transcribe only where the detector finds speech
    repair: search again what the first search lost; hotwords: words that are expected
    language_model: the folder of one that was trained with this model's vocabulary, or the file of a word n-gram model
    Raises CheckpointError if there is no such model or it is damaged, ConfigError for another value that cannot be.
    """
    keep_large_blocks()
    return Recognizer(
        load_model(model),
        beam=beam,
        device=device,
        precision=precision,
        find_speech=find_speech,
        repair=repair,
        hotwords=hotwords,
        language_model=None if language_model is None else _language_model(Path(str(language_model))),
    )


def _language_model(path: Path) -> LanguageSystem | WordNgram:
    if not is_file(path) and not is_folder(path):
        raise CheckpointError(
            f"{path}: is neither a language model's folder nor the file of a word n-gram model. Check the path."
        )
    return WordNgram(path) if is_file(path) else load_language_model(path)
