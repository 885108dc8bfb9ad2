"""What a user gives beside the model: expected words, a language model of tokens or of words."""

from asr_s2s.errors import CheckpointError
from asr_s2s.files import is_file, is_folder
from asr_s2s.model_store import WordNgram, check_same_vocabulary, open_language_model
from asr_s2s.recognizer.hotwords import build_hotwords
from asr_s2s.recognizer.model import ReadyModel
from asr_s2s.recognizer.options import DecodeOptions
from asr_s2s.search import ExternalScorer, LanguageFusion, WordFusion
from asr_s2s.text.vocabulary import token_texts


def build_external_scorers(model: ReadyModel, options: DecodeOptions) -> list[ExternalScorer]:
    """Return the scorers beside the model that a search asks.

    Raises ConfigError for hot words that the model cannot write, or a language model of another vocabulary, and
        CheckpointError where there is no such language model.
    """
    search, vocabulary, path = model.search, model.vocabulary, options.language_model
    expected = build_hotwords(options.hotwords, vocabulary, bonus=search.hotword_bonus)
    scorers: list[ExternalScorer] = [] if expected is None else [expected]
    if path is None:
        return scorers
    if is_file(path):
        fusion = WordFusion(WordNgram(path), search.language_weight, token_texts(vocabulary), vocabulary.end_token)
        return [*scorers, fusion]
    if not is_folder(path):
        raise CheckpointError(
            f"{path}: is neither a language model's folder nor the file of a word n-gram model. Check the path."
        )
    language = open_language_model(path)
    check_same_vocabulary(vocabulary, language.vocabulary, recogniser=model.name, language_model=path.name)
    return [*scorers, LanguageFusion(model.open_language(path), search.language_weight)]
