"""Rules of normalising that a user writes: a list in YAML, or mappings in the form of sclite's GLM files.

GLM: NIST, sctk's doc/rfilter1 and csrfilt; one pass from left to right, the first mapping that fits is taken, case is
ignored and `[ ]` beside the gap stands for the edge of a word.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from asr_s2s.config import PartConfig, parse_config
from asr_s2s.errors import ConfigError, listed
from asr_s2s.inputs import read_text
from asr_s2s.text.marks import is_mark

GLM_LINE = re.compile(r"(?P<old>\[[^\]]*\]|\S+)\s*=>\s*(?P<new>\[[^\]]*\]|[^/;\s]*)\s*(?P<context>/.*)?")
GLM_CONTEXT = re.compile(r"/\s*(?:\[(?P<left>[^\]]*)\])?\s*__\s*(?:\[(?P<right>[^\]]*)\])?\s*")


YAML_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class Rule:
    """One step of normalising; the name stands in the report."""

    name: str
    apply: Callable[[str], str]


class RuleConfig(PartConfig):
    """One rule: exactly one of these keys, `with` beside `replace`.

    remove, replace: regular expressions
    words: whole words or phrases, in any case, to others
    normalizer: all rules of that name
    """

    lower: bool | None = None
    remove: str | None = None
    replace: str | None = None
    with_: Annotated[str, Field(alias="with")] = ""
    words: dict[str, str] | None = None
    normalizer: str | None = None

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        given = [self.lower, self.remove, self.replace, self.words, self.normalizer]
        if sum(value is not None for value in given) != 1:
            raise ValueError("write one of lower, remove, replace, words, normalizer")
        return self


class RulesConfig(PartConfig):
    """A file of rules, applied from top to bottom."""

    rules: list[RuleConfig]


def read_rules(path: Path, named: Mapping[str, tuple[Rule, ...]]) -> tuple[tuple[Rule, ...], str]:
    """Read rules from YAML, or sclite's mappings from what is named .glm or has an arrow in its first lines.

    named: the rules of each normalizer that a user's may build on
    returns: the rules, and a name of their version, by the file's content
    Raises ConfigError that names what cannot be read.
    """
    content = read_text(path, error=ConfigError, advice="Name an existing file of rules.")
    is_glm = path.suffix == ".glm" or (path.suffix not in YAML_SUFFIXES and "=>" in content)
    rules = _glm_rules(path, content) if is_glm else _user_rules(path, content, named)
    return rules, f"sha256 {hashlib.sha256(content.encode()).hexdigest()[:12]}"


def _user_rules(path: Path, content: str, named: Mapping[str, tuple[Rule, ...]]) -> tuple[Rule, ...]:
    made: list[Rule] = []
    for number, config in enumerate(parse_config(content, RulesConfig, origin=str(path)).rules):
        try:
            made += _rules_of(config, named)
        except (re.error, IndexError) as error:
            what = "regular expression" if config.with_ == "" else "regular expression with a replacement for it"
            raise ConfigError(f"{path}: rules.{number}: is no {what} ({error}). Correct it.") from error
        except KeyError as error:
            raise ConfigError(f"{path}: rules.{number}: no normalizer {error}. Known: {', '.join(named)}.") from error
    return tuple(made)


def _glm_rules(path: Path, content: str) -> tuple[Rule, ...]:
    old_to_new: list[tuple[str, str]] = []
    broken: list[str] = []
    for number, line in enumerate(content.splitlines(), start=1):
        stripped = line.partition(";;")[0].strip()
        if not stripped or stripped.startswith("*"):  # the head: * name = "..."
            continue
        found = GLM_LINE.fullmatch(stripped)
        if found is None:
            broken.append(f"{path}:{number}: {stripped[:60]!r}")
            continue
        old_to_new.append((_pattern(found), _replacement(found["new"])))
    if broken:
        raise ConfigError(
            "\n".join([f"{path}: {len(broken)} mappings cannot be read. Write '[A] => [B]'.", *broken[:5]])
        )
    return Rule(f"mappings of {path.name}", _all_at_once(old_to_new)), Rule("lower case", str.lower)


def _rules_of(config: RuleConfig, named: Mapping[str, tuple[Rule, ...]]) -> Iterable[Rule]:
    if config.normalizer is not None:
        return named[config.normalizer]
    if config.words is not None:
        longest_first = sorted(config.words.items(), key=lambda item: -len(item[0]))
        words = [(rf"(?<!\w){re.escape(old)}(?!\w)", new) for old, new in longest_first]
        return (Rule(f"words ({listed(list(config.words), limit=3)})", _all_at_once(words, unless=_within_word)),)
    if config.lower is not None:
        return (Rule("lower case", str.lower),) if config.lower else ()
    pattern = re.compile(config.remove if config.remove is not None else config.replace or "")
    pattern.sub(config.with_, "")  # raises for a group that is not there
    name = f"remove {pattern.pattern}" if config.remove is not None else f"{pattern.pattern} to {config.with_!r}"
    return (Rule(name, lambda text: pattern.sub(config.with_, text)),)


def _pattern(found: re.Match[str]) -> str:
    """Make a regular expression of a mapping's left side and its surroundings."""
    old = found["old"]
    pattern = re.escape(old[1:-1] if old.startswith("[") else old)
    context = GLM_CONTEXT.fullmatch(found["context"] or "")
    if context is None:
        return pattern
    return _beside(context["left"], r"(?<!\S)", "(?<={})") + pattern + _beside(context["right"], r"(?!\S)", "(?={})")


def _beside(text: str | None, edge: str, looking: str) -> str:
    if not text:
        return ""
    return looking.format(re.escape(text)) if text.strip() else edge


def _replacement(new: str) -> str:
    """Take what a mapping gives; of alternatives, `{A / B}`, the first on both sides."""
    return re.sub(r"\{\s*(.*?)\s*(?:/.*?)?\}", r"\1", new[1:-1] if new.startswith("[") else new)


def _within_word(found: re.Match[str]) -> bool:
    """Return whether a vowel sign, which Python counts to no word, joins what was found with a letter beside it."""
    before, after = found.string[: found.start()][-1:], found.string[found.end() :][:1]
    return any(is_mark(beside) for beside in (before, after) if beside)


def _all_at_once(
    old_to_new: list[tuple[str, str]], *, unless: Callable[[re.Match[str]], bool] = lambda _: False
) -> Callable[[str], str]:
    if not old_to_new:
        return str
    every = re.compile("|".join(f"({pattern})" for pattern, _ in old_to_new), re.IGNORECASE)

    def replaced(found: re.Match[str]) -> str:
        return found[0] if unless(found) else old_to_new[(found.lastindex or 1) - 1][1]

    return lambda text: every.sub(replaced, text)
