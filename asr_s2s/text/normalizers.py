"""Normalizers make texts comparable before they are scored; each has a name and a version, printed in every report.

Whisper's two come from the package whisper-normalizer (Radford et al. 2022, appendix C), so that our rates can stand
beside published ones. Its basic one puts a space for every mark, symbol and punctuation character, apostrophes and the
vowel signs of Indic scripts among them: compare such texts raw too. A normalizer is made when it is asked for, because
the English one reads a word list.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

from whisper_normalizer.basic import BasicTextNormalizer
from whisper_normalizer.english import EnglishTextNormalizer

from asr_s2s.errors import ScoringError


@dataclass(frozen=True)
class Normalizer:
    """A function from a text to the text that is compared, with what a report needs to name it."""

    name: str
    version: str
    apply: Callable[[str], str]


def none() -> Normalizer:
    """Compare texts as they are."""
    return Normalizer("none", "1", str)


def basic() -> Normalizer:
    """Lower case, no punctuation, no bracketed remarks; for any language."""
    return Normalizer("basic", _whisper_version(), _stripped(BasicTextNormalizer()))


def whisper_english() -> Normalizer:
    """Also one spelling for numbers, contractions, titles and British words; for English."""
    return Normalizer("whisper-english", _whisper_version(), _stripped(EnglishTextNormalizer()))


NORMALIZERS = (("none", none), ("basic", basic), ("whisper-english", whisper_english))


def normalizer(name: str) -> Normalizer:
    """Make the normalizer of a name; ScoringError lists the known ones."""
    makers = dict(NORMALIZERS)
    if name not in makers:
        raise ScoringError(f"there is no normalizer '{name}'. Known: {', '.join(makers)}.")
    return makers[name]()


def _stripped(normalize: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: normalize(text).strip()


def _whisper_version() -> str:
    return f"whisper-normalizer {version('whisper-normalizer')}"
