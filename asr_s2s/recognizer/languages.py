"""Which language a piece is in, what is asked of it there, and what a search must know of both."""

from collections.abc import Sequence

import numpy as np

from asr_s2s.engine import Encoding, LogProbs, TokenRules, token_rules
from asr_s2s.errors import ConfigError
from asr_s2s.recognizer.model import ReadyModel
from asr_s2s.recognizer.options import DETECTED, TRANSCRIBE, DecodeOptions
from asr_s2s.recognizer.segmenter import Piece, SpokenLanguage
from asr_s2s.text.languages import described_language, nearest_language

MULTILINGUAL = "multi"  # the model that messages name
MOST_PIECES = 6  # of a recording, by which its language is decided
# A piece of a less probable language is searched in the few most probable ones, and the text decides. Of 260 training
# clips of learners 62 were taken for another language by the first step alone, 24 with 0.7 and three languages, 18 so.
SURE, DOUBTED = 0.9, 5


def check_language(model: ReadyModel, code: str) -> None:
    """Raise ConfigError for a language that a model does not know; one that names none is said to know one alone."""
    known = model.vocabulary.languages
    if code in known:
        return
    language = described_language(code)
    if len(known) > 1:
        near = nearest_language(code, known)
        hint = f"The nearest that it knows is {described_language(near)}." if near else "Choose auto, or another."
        raise ConfigError(f"language {language}: '{model.name}' does not know it. {hint}")
    one = f"knows {described_language(known[0])} alone" if known else "is a model of one language"
    raise ConfigError(
        f"language {language}: '{model.name}' {one}. Leave the language out, or take --model {MULTILINGUAL}."
    )


def rules_of(model: ReadyModel, options: DecodeOptions, language: str | None) -> TokenRules:
    """Return what a search must know: the start tokens name the language and the task, after the prompt.

    language: None where the model has one alone
    Raises ConfigError for a language, a task or a prompt that the model has no place for
    """
    vocabulary = model.vocabulary
    if language is not None:
        check_language(model, language)
    if options.task != TRANSCRIBE and options.task not in vocabulary.task_tokens:
        raise ConfigError(
            f"task '{options.task}': '{model.name}' can only transcribe. Take --model {MULTILINGUAL}, which translates."
        )
    prompt = (options.prompt or "").strip()
    if not prompt:
        return token_rules(vocabulary, language=language, task=options.task)
    if vocabulary.previous_token is None:
        raise ConfigError(
            f"prompt: '{model.name}' has no place for an earlier text. Leave it out, name words with --hotword, "
            f"or take --model {MULTILINGUAL}."
        )
    tokens = vocabulary.encode(prompt)
    longest = model.engine.max_tokens
    # as Whisper does: half of the decoder's places, and of a longer text its end
    tokens = tokens if longest is None else tokens[-(longest // 2 - 1) :]
    return token_rules(vocabulary, language=language, task=options.task, previous=tokens)


class LanguageDetector:
    """Tells languages by the model's own first step: after the start of a text it would say which one it is."""

    def __init__(self, model: ReadyModel) -> None:
        self._engine = model.engine
        self._codes = list(model.vocabulary.language_tokens)
        self._tokens = np.array(list(model.vocabulary.language_tokens.values()))
        rules = token_rules(model.vocabulary)
        self._begin = TokenRules(rules.start_tokens[:1], rules.end_token)

    def log_probs(self, encoding: Encoding) -> LogProbs:
        """Return the log probability of each language, (batch, language): no other token has a share."""
        state = self._engine.start(encoding, self._begin).state
        begin = np.full((len(encoding), 1), self._begin.start_tokens[0])
        scores, _ = self._engine.step(begin, state)
        return _shared_out(scores.at(np.broadcast_to(self._tokens, (len(encoding), 1, len(self._tokens))))[:, 0])

    def languages(self, encoding: Encoding) -> list[list[SpokenLanguage]]:
        """Return the most probable language of each utterance; where it is in doubt, the few most probable ones."""
        found = [self._most_probable(row, count=DOUBTED) for row in self.log_probs(encoding)]
        return [each[:1] if (each[0].probability or 0.0) >= SURE else each for each in found]

    def language_of(self, pieces: Sequence[Piece]) -> SpokenLanguage:
        """Return the language of a recording: the mean of the log probabilities of several pieces, one after another.

        pieces: of one recording, in order; of more than MOST_PIECES the longest of each of so many parts is taken
        """
        parts = np.array_split(np.arange(len(pieces)), min(MOST_PIECES, len(pieces)))
        chosen = [pieces[max(part, key=lambda place: len(pieces[place].samples))] for part in parts]
        rows = [self.log_probs(self._engine.encode([piece.samples])) for piece in chosen]
        return self._most_probable(_shared_out(np.concatenate(rows).mean(axis=0)), count=1)[0]

    def _most_probable(self, log_probs: LogProbs, *, count: int) -> list[SpokenLanguage]:
        best = np.argsort(-log_probs, kind="stable")[:count].tolist()
        return [SpokenLanguage(self._codes[place], float(np.exp(log_probs[place]))) for place in best]


def _shared_out(log_probs: LogProbs) -> LogProbs:
    """Let the probabilities of the last axis sum to one."""
    return np.asarray(log_probs - np.logaddexp.reduce(log_probs, axis=-1, keepdims=True))


def detector_of(model: ReadyModel, options: DecodeOptions) -> LanguageDetector | None:
    """Return what detects the language; None where it is given, or the model knows one alone."""
    detects = options.language in DETECTED and len(model.vocabulary.language_tokens) > 1
    return LanguageDetector(model) if detects else None


def given_language(model: ReadyModel, options: DecodeOptions) -> SpokenLanguage | None:
    """Return the language that options name, or the only one that the model knows."""
    if options.language in DETECTED:
        known = model.vocabulary.languages
        return SpokenLanguage(known[0]) if len(known) == 1 else None
    return SpokenLanguage(options.language)
