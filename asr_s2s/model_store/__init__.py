"""Model directories: written whole, checked when loaded, never pickled; Whisper checkpoints come in here too.

What is named here needs no torch. Networks are built, written and changed by the modules `directory`, `language`,
`average`, `merge`, `prune`, `spell` and `whisper`.
"""

from asr_s2s.model_store.folders import available_models, model_folder, read_card, refuse_overwriting
from asr_s2s.model_store.opened import (
    OpenedLanguageModel,
    OpenedModel,
    check_same_vocabulary,
    open_language_model,
    open_model,
)
from asr_s2s.model_store.stored import CONFIG_FILE
from asr_s2s.model_store.word_ngram import WordNgram

__all__ = [
    "CONFIG_FILE",
    "OpenedLanguageModel",
    "OpenedModel",
    "WordNgram",
    "available_models",
    "check_same_vocabulary",
    "model_folder",
    "open_language_model",
    "open_model",
    "read_card",
    "refuse_overwriting",
]
