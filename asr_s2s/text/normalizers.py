"""Normalizers make texts comparable before they are scored; each has a name and a version, printed in every report.

`basic` is for any language: vowel signs, tones and accents are parts of words, whatever characters they are written by.
Whisper's two come from the package whisper-normalizer (Radford et al. 2022, appendix C), so that our rates can stand
beside published ones; here they are taken apart into rules, whose effects a report lists. They put a space for such
signs, or nothing, which a report tells. A normalizer is made when it is asked for: the English one reads a word list.
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
from asr_s2s.inputs import STANDARD_INPUT
from asr_s2s.text.marks import is_variant, without_dot_of_i
from asr_s2s.text.rules import YAML_SUFFIXES, Rule, read_rules

BRACKETS = re.compile(r"[<\[][^>\]]*[>\]]")
PARENTHESES = re.compile(r"\(([^)]+?)\)")
JOINERS = "\u200b\u200c\u200d"  # of zero width; within a word they tell how it is written
LOOSE = re.compile(rf"(?<!\S)[^\w\s]+|[{JOINERS}]+(?!\S)")  # signs whose character went to be a space


@dataclass(frozen=True)
class Normalizer:
    """Rules, applied one after the other, with what a report needs to name them."""

    name: str
    version: str
    rules: tuple[Rule, ...]

    def apply(self, text: str) -> str:
        """Return the text that is compared; its outer white space is gone if there is any rule."""
        for rule in self.rules:
            text = rule.apply(text)
        return " ".join(text.split()) if self.rules else text

    def stages(self, text: str) -> list[str]:
        """Return the text after each rule; the last is what apply gives, save for white space."""
        return [text := rule.apply(text) for rule in self.rules]


def none() -> Normalizer:
    """Compare texts as they are."""
    return Normalizer("none", "1", ())


def basic() -> Normalizer:
    """Lower case, no punctuation, no bracketed remarks; for any language."""
    unread, symbols = _Table(_unless_unread), _Table(_unless_symbol)

    def without_punctuation(text: str) -> str:
        if text.isascii():  # two thirds of the time less
            return text.translate(symbols)
        return LOOSE.sub("", _composed(text.translate(unread)).translate(symbols))

    rules = (
        Rule("lower case", _lowered),
        Rule("bracketed remarks", _without_brackets),
        Rule("punctuation", without_punctuation),
    )
    return Normalizer("basic", "2", rules)


def whisper_basic() -> Normalizer:
    """Whisper's normalizer for any language, which takes vowel signs for punctuation."""
    symbols = _Table(_unless_sign)
    rules = (
        Rule("lower case", str.lower),
        Rule("bracketed remarks", _without_brackets),
        Rule("punctuation", lambda text: unicodedata.normalize("NFKC", text).translate(symbols).lower()),
    )
    return Normalizer("whisper-basic", _whisper_version(), rules)


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
    "whisper-basic": whisper_basic,
}


def normalizer(name: str) -> Normalizer:
    """Make the normalizer of a name, or of a file or a pipe: a user's rules (.yaml) or sclite's mappings (.glm).

    Raises ScoringError that lists the known names, ConfigError for a broken file of rules.
    """
    path = Path(name)
    if name in NORMALIZERS:
        return NORMALIZERS[name]()
    if path.suffix in (".glm", *YAML_SUFFIXES) or name == STANDARD_INPUT or path.is_fifo():
        rules, made_of = read_rules(path, {key: make().rules for key, make in NORMALIZERS.items()})
        return Normalizer(name, made_of, rules)
    raise ScoringError(
        f"there is no normalizer '{name}'. Known: {', '.join(NORMALIZERS)}; or name a file of rules: .yaml or .glm."
    )


def _lowered(text: str) -> str:
    return without_dot_of_i(text.lower())


def _composed(text: str) -> str:
    """Write a text in one of its equal forms: compatible characters as one, signs joined with their letters."""
    return unicodedata.normalize("NFKC", _lowered(unicodedata.normalize("NFKC", text)))


class _Table(dict[int, str]):
    """Maps characters for str.translate, learnt as they come."""

    def __init__(self, written: Callable[[str], str]) -> None:
        self._written = written

    def __missing__(self, code: int) -> str:
        self[code] = self._written(chr(code))
        return self[code]


def _unless_unread(character: str) -> str:
    """Leave out what says how a text looks: direction, hyphenation, the variant or the frame of a character."""
    category = unicodedata.category(character)
    return (
        ""
        if category == "Me" or is_variant(character) or (category == "Cf" and character not in JOINERS)
        else character
    )


def _unless_symbol(character: str) -> str:
    return " " if unicodedata.category(character)[0] in "SP" else character


def _unless_sign(character: str) -> str:
    return " " if unicodedata.category(character)[0] in "MSP" else character


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
