"""A user's words as the tokens of a model's vocabulary."""

from collections.abc import Iterable
from pathlib import Path

from asr_s2s.errors import ConfigError, listed
from asr_s2s.inputs import read_text
from asr_s2s.search import Hotwords
from asr_s2s.text import Vocabulary
from asr_s2s.text.vocabulary import token_texts

MOST_BYTES = 10_000_000  # of a list of words

LONGEST = 200  # characters: a phrase, no text


def read_hotwords(path: Path) -> list[str]:
    """Read a word or phrase a line; blank lines and lines that begin with # are passed over."""
    advice = "Name a file with a word or phrase a line."
    text = read_text(path, error=ConfigError, advice=advice, most=MOST_BYTES)
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def build_hotwords(words: Iterable[str], vocabulary: Vocabulary, *, bonus: float) -> Hotwords | None:
    """Spell words in the vocabulary; None where there are none.

    Raises ConfigError that names characters which the model cannot write, or a word that is too long.
    """
    chosen = [word for word in dict.fromkeys(words) if word.strip()]
    if not chosen:
        return None
    if long := [word for word in chosen if len(word) > LONGEST]:
        raise ConfigError(
            f"hot words: '{long[0][:40]}...' has {len(long[0]):,} characters, and {LONGEST} are the most. "
            "Write a word or phrase a line."
        )
    unknown = sorted({character for word in chosen for character in vocabulary.unknown(word)})
    if unknown:
        raise ConfigError(f"hot words hold characters that the model cannot write: {listed(unknown)}.")
    return Hotwords.build(
        [vocabulary.encode(word) for word in chosen],
        token_texts=token_texts(vocabulary),
        end_token=vocabulary.end_token,
        bonus=bonus,
    )
