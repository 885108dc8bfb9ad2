"""Model directories: written whole, checked when loaded, never pickled; Whisper checkpoints come in here too."""

from asr_s2s.model_store.average import average_models, average_states
from asr_s2s.model_store.describe import describe
from asr_s2s.model_store.directory import (
    ModelDirectoryConfig,
    SpeechSystem,
    available_models,
    build_system,
    load_model,
    read_card,
    rebuilt,
    refuse_overwriting,
    save_model,
)
from asr_s2s.model_store.language import (
    LanguageDirectoryConfig,
    LanguageSystem,
    check_same_vocabulary,
    load_language_model,
    save_language_model,
)
from asr_s2s.model_store.merge import merge_silence, merged_system
from asr_s2s.model_store.prune import Pruning, prune_vocabulary
from asr_s2s.model_store.spell import spell
from asr_s2s.model_store.stored import CONFIG_FILE
from asr_s2s.model_store.weights import Storage
from asr_s2s.model_store.whisper import import_whisper
from asr_s2s.model_store.word_ngram import WordNgram

__all__ = [
    "CONFIG_FILE",
    "LanguageDirectoryConfig",
    "LanguageSystem",
    "ModelDirectoryConfig",
    "Pruning",
    "SpeechSystem",
    "Storage",
    "WordNgram",
    "available_models",
    "average_models",
    "average_states",
    "build_system",
    "check_same_vocabulary",
    "describe",
    "import_whisper",
    "load_language_model",
    "load_model",
    "merge_silence",
    "merged_system",
    "prune_vocabulary",
    "read_card",
    "rebuilt",
    "refuse_overwriting",
    "save_language_model",
    "save_model",
    "spell",
]
