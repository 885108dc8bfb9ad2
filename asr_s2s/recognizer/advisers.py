"""What a user gives beside the model: expected words, a language model of tokens or of words."""

from collections.abc import Sequence

import torch

from asr_s2s.engine.torch_language import TorchLanguageEngine
from asr_s2s.model_store import WordNgram, check_same_vocabulary
from asr_s2s.model_store.directory import SpeechSystem
from asr_s2s.model_store.language import LanguageSystem
from asr_s2s.recognizer.hotwords import build_hotwords
from asr_s2s.search import Adviser, LanguageFusion, WordFusion
from asr_s2s.text.vocabulary import token_texts


def build_advisers(
    system: SpeechSystem,
    *,
    hotwords: Sequence[str],
    language_model: LanguageSystem | WordNgram | None,
    device: torch.device,
) -> list[Adviser]:
    """Make the advisers of a search.

    Raises ConfigError for hot words that the model cannot write, or a language model of another vocabulary.
    """
    search, vocabulary = system.config.search, system.vocabulary
    expected = build_hotwords(hotwords, vocabulary, bonus=search.hotword_bonus)
    advisers: list[Adviser] = [] if expected is None else [expected]
    if isinstance(language_model, LanguageSystem):
        check_same_vocabulary(language_model, vocabulary, recogniser=system.name)
        engine = TorchLanguageEngine(language_model.model, vocabulary_size=vocabulary.size, device=device)
        advisers.append(LanguageFusion(engine, search.language_weight))
    elif language_model is not None:
        texts, end = token_texts(vocabulary), vocabulary.end_token
        advisers.append(WordFusion(language_model, search.language_weight, texts, end))
    return advisers
