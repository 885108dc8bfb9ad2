"""The words of a hypothesis, when each was said and how sure the model was of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from asr_s2s.decoding import SearchConfig
from asr_s2s.engine import Encoding, TokenRules
from asr_s2s.manifest import Word
from asr_s2s.recognizer.coverage import Span
from asr_s2s.recognizer.model import ReadyModel
from asr_s2s.search import Hypothesis, ctc_token_frames, token_frames
from asr_s2s.text import Vocabulary

LONGEST_TOKEN = 1.0  # seconds: an attention that stays longer rests there, and the token does not
SMALLEST = 1e-4  # of a word's probability to be wrong: what lies below says nothing more


@dataclass(frozen=True)
class TimedWord:
    """A word, and when each of its tokens was said: seconds in the recording."""

    word: Word
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class SpelledWord:
    """A word and the tokens that spell what is said of it, from the first up to the one after its last.

    Signs at its ends are not said: the token of a full stop attends to the silence after it.
    """

    text: str
    first: int
    end: int


def spelled_words(vocabulary: Vocabulary, tokens: Sequence[int]) -> list[SpelledWord]:
    """Find each word's tokens; a token that only ends a word or a character belongs to it."""
    texts = [vocabulary.decode(tokens[:count]) for count in range(len(tokens) + 1)]
    text = texts[-1]
    found, place = [], 0
    for word in text.split():
        start = text.index(word, place)
        place = start + len(word)
        said = [at for at in range(start, place) if text[at].isalnum()] or [start, place - 1]
        found.append(SpelledWord(word, _token_at(texts, said[0]), _token_at(texts, said[-1]) + 1))
    return found


def _token_at(texts: Sequence[str], place: int) -> int:
    """Return the token that first spells the character at a place of the whole text, and lets it stand."""
    right = [text[place : place + 1] == texts[-1][place] for text in texts]
    wrong = [count for count, is_right in enumerate(right) if not is_right]
    return wrong[-1]  # after so many tokens it was not there yet: the next one is at this index


def timed_words(
    model: ReadyModel,
    hypotheses: Sequence[Hypothesis],
    encoding: Encoding,
    rules: TokenRules,
    *,
    starts: Sequence[float],
    seconds: Sequence[float],
) -> list[list[TimedWord]] | None:
    """Return the words of each hypothesis in time; None where the model has neither an attention nor CTC.

    starts: seconds in the recording where each piece begins; seconds: of each piece
    """
    texts = [each.tokens for each in hypotheses]
    blank = rules.blank_token
    if model.time_source == "ctc" and blank is not None:
        ctc = model.engine.ctc_log_probs(encoding)
        pairs = zip(ctc, encoding.sound_lengths, texts, strict=True)
        frames = [ctc_token_frames(log_probs[:sound], tokens, blank=blank) for log_probs, sound, tokens in pairs]
    else:
        attention = model.engine.attention(encoding, texts, rules)
        if attention is None:
            return None
        frames = token_frames(attention)
    lengths = [length / max(int(count), 1) for length, count in zip(seconds, encoding.sound_lengths, strict=True)]
    return [_timed(model, *each) for each in zip(hypotheses, frames, starts, lengths, strict=True)]


def _timed(
    model: ReadyModel,
    hypothesis: Hypothesis,
    frames: Sequence[tuple[int, int]],
    start: float,
    frame_seconds: float,
) -> list[TimedWord]:
    found = []
    for word in spelled_words(model.vocabulary, hypothesis.tokens):
        spans = tuple(
            (start + first * frame_seconds, start + min(end * frame_seconds, first * frame_seconds + LONGEST_TOKEN))
            for first, end in frames[word.first : word.end]
        )
        log_probs = hypothesis.token_log_probs[word.first : word.end]
        probability = _confidence(log_probs, model.search)
        found.append(TimedWord(Word(word.text, round(spans[0][0], 3), round(spans[-1][1], 3), probability), spans))
    return found


def _confidence(log_probs: Sequence[float], config: SearchConfig) -> float:
    """Return how probable it is that a word is right: the geometric mean of its tokens' probabilities, calibrated."""
    mean = sum(log_probs) / len(log_probs)
    odds = mean - math.log(max(-math.expm1(mean), SMALLEST))
    score = config.confidence_slope * odds + config.confidence_offset
    return 1.0 / (1.0 + math.exp(min(-score, 700.0)))  # beyond it exp overflows, and the probability is 0 anyway
