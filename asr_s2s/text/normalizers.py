"""Normalizers make texts comparable before they are scored; each has a name and a version, printed in every report.

Whisper's two come from the package whisper-normalizer (Radford et al. 2022, appendix C), so that our rates can stand
beside published ones; here they are taken apart into rules, whose effects a report lists. Its basic one puts a space
for every mark, symbol and punctuation character, apostrophes and the vowel signs of Indic scripts among them: compare
such texts raw too. A normalizer is made when it is asked for, because the English one reads a word list.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from whisper_normalizer.basic import remove_symbols_and_diacritics
from whisper_normalizer.english import EnglishTextNormalizer

from asr_s2s.errors import ScoringError
from asr_s2s.text.rules import Rule, glm_rules, hash_of, user_rules

BRACKETS = re.compile(r"[<\[][^>\]]*[>\]]")
PARENTHESES = re.compile(r"\(([^)]+?)\)")


@dataclass(frozen=True)
class Normalizer:
    """Rules, applied one after the other, with what a report needs to name them."""

    name: str
    version: str
    rules: tuple[Rule, ...]

    def apply(self, text: str) -> str:
        """Give the text that is compared; its outer white space is gone if there is any rule."""
        for rule in self.rules:
            text = rule.apply(text)
        return " ".join(text.split()) if self.rules else text

    def stages(self, text: str) -> list[str]:
        """Give the text after each rule; the last is what apply gives, save for white space."""
        return [text := rule.apply(text) for rule in self.rules]


def none() -> Normalizer:
    """Compare texts as they are."""
    return Normalizer("none", "1", ())


def basic() -> Normalizer:
    """Lower case, no punctuation, no bracketed remarks; for any language."""
    symbols = _Symbols()
    rules = (
        Rule("lower case", str.lower),
        Rule("bracketed remarks", _without_brackets),
        Rule("punctuation", lambda text: unicodedata.normalize("NFKC", text).translate(symbols).lower()),
    )
    return Normalizer("basic", _whisper_version(), rules)


def whisper_english() -> Normalizer:
    """Also one spelling for numbers, contractions, titles and British words; for English."""
    whisper = EnglishTextNormalizer()
    rules = (
        Rule("lower case", str.lower),
        Rule("bracketed remarks", _without_brackets),
        Rule("hesitations", lambda text: re.sub(whisper.ignore_patterns, "", text)),
        Rule("contractions", lambda text: _with_contractions(text, whisper.replacers)),
        Rule("punctuation", _without_punctuation),
        Rule("numbers", whisper.standardize_numbers),
        Rule("spelling", whisper.standardize_spellings),
        Rule("left-over symbols", _without_loose_symbols),
    )
    return Normalizer("whisper-english", _whisper_version(), rules)


NORMALIZERS: dict[str, Callable[[], Normalizer]] = {
    "none": none,
    "basic": basic,
    "whisper-english": whisper_english,
}


def normalizer(name: str) -> Normalizer:
    """Make the normalizer of a name, or of a file: a user's rules (.yaml) or sclite's mappings (.glm).

    Raises ScoringError that lists the known names, ConfigError for a broken file of rules.
    """
    path = Path(name)
    if name in NORMALIZERS:
        return NORMALIZERS[name]()
    if path.suffix == ".glm":
        return Normalizer(name, hash_of(path), glm_rules(path))
    if path.suffix in (".yaml", ".yml"):
        named = {key: make().rules for key, make in NORMALIZERS.items()}
        return Normalizer(name, hash_of(path), user_rules(path, named))
    raise ScoringError(
        f"there is no normalizer '{name}'. Known: {', '.join(NORMALIZERS)}; or name a file of rules: .yaml or .glm."
    )


class _Symbols(dict[int, str]):
    """Maps each character for str.translate: marks, symbols and punctuation to a space; learnt as they come."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        self[code] = " " if unicodedata.category(character)[0] in "MSP" else character
        return self[code]


def _without_brackets(text: str) -> str:
    return PARENTHESES.sub("", BRACKETS.sub("", text))


def _with_contractions(text: str, replacers: dict[str, str]) -> str:
    text = re.sub(r"\s+'", "'", text)
    for pattern, replacement in replacers.items():
        text = re.sub(pattern, replacement, text)
    return text


def _without_punctuation(text: str) -> str:
    text = re.sub(r"(\d),(\d)", r"\1\2", text)
    text = re.sub(r"\.([^0-9]|$)", r" \1", text)
    cleaned: str = remove_symbols_and_diacritics(text, keep=".%$¢€£")
    return cleaned


def _without_loose_symbols(text: str) -> str:
    return re.sub(r"([^0-9])%", r"\1 ", re.sub(r"[.$¢€£]([^0-9])", r" \1", text))


def _whisper_version() -> str:
    return f"whisper-normalizer {version('whisper-normalizer')}"
