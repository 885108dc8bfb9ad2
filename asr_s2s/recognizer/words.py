"""The words of a hypothesis, when each was said and how sure the model was of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from asr_s2s.manifest import Word
from asr_s2s.model_store import SpeechSystem
from asr_s2s.search import Hypothesis, SearchConfig, attention_coverage, token_frames
from asr_s2s.text import Vocabulary

SMALLEST = 1e-4  # of a word's probability to be wrong: what lies below says nothing more


@dataclass(frozen=True)
class Aligned:
    """What the decoder's attention tells of a hypothesis: its words in time, and the share of the sound it looked at.

    coverage is None where there is nothing to cover: no attention, or no words
    """

    words: tuple[Word, ...] = ()
    coverage: float | None = None


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
    """Give the token that first spells the character at a place of the whole text, and lets it stand."""
    right = [text[place : place + 1] == texts[-1][place] for text in texts]
    wrong = [count for count, is_right in enumerate(right) if not is_right]
    return wrong[-1]  # after so many tokens it was not there yet: the next one is at this index


def aligned(
    system: SpeechSystem,
    hypotheses: Sequence[Hypothesis],
    encoder_out: Tensor,
    encoder_lengths: Tensor,
    *,
    sound_lengths: Tensor,
    starts: Sequence[float],
    frame_seconds: Sequence[float],
) -> list[Aligned]:
    """Give the words of each hypothesis with times from the decoder's attention, and how much of the sound they cover.

    encoder_out: (batch, time', channel), encoder_lengths, sound_lengths: (batch,), the latter without added silence
    starts: seconds in the file where each piece begins; frame_seconds: of an encoder frame
    """
    attention = token_attention(system, [each.tokens for each in hypotheses], encoder_out, encoder_lengths)
    if attention is None:
        return [Aligned() for _ in hypotheses]
    found = []
    for row, hypothesis in enumerate(hypotheses):
        shown = attention[row, : len(hypothesis.tokens), : int(sound_lengths[row])]
        frames, length = token_frames(shown), frame_seconds[row]
        words = tuple(
            Word(
                word=word.text,
                start=round(starts[row] + frames[word.first][0] * length, 3),
                end=round(starts[row] + frames[word.end - 1][1] * length, 3),
                probability=_confidence(hypothesis.token_log_probs[word.first : word.end], system.config.search),
            )
            for word in spelled_words(system.vocabulary, hypothesis.tokens)
        )
        coverage = attention_coverage(shown, int(sound_lengths[row])) if words else None
        found.append(Aligned(words, coverage))
    return found


def token_attention(
    system: SpeechSystem, texts: Sequence[Sequence[int]], encoder_out: Tensor, encoder_lengths: Tensor
) -> Tensor | None:
    """Give what each token looks at, (batch, token, time'), in one pass over finished texts; None without attention."""
    start = list(system.vocabulary.start_tokens)
    longest = max(len(tokens) for tokens in texts)
    end = system.vocabulary.end_token
    rows = [[*start, *tokens, *[end] * (longest - len(tokens))] for tokens in texts]
    tokens = torch.tensor(rows, device=encoder_out.device)[:, : len(start) + longest - 1]
    output = system.model.decoder(tokens, encoder_out, encoder_lengths, with_attention=True)
    return None if output.attention is None else output.attention[:, len(start) - 1 :].float()


def _confidence(log_probs: Sequence[float], config: SearchConfig) -> float:
    """Give how probable it is that a word is right: the geometric mean of its tokens' probabilities, calibrated."""
    mean = sum(log_probs) / len(log_probs)
    odds = mean - math.log(max(-math.expm1(mean), SMALLEST))
    return 1.0 / (1.0 + math.exp(-(config.confidence_slope * odds + config.confidence_offset)))
