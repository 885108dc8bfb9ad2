"""One call from files, or from texts in memory, to a report or to the comparison of several systems."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from itertools import combinations
from pathlib import Path
from typing import Any, ParamSpec, Protocol

from asr_s2s.errors import ScoringError
from asr_s2s.inputs import STANDARD_INPUT, InputFile
from asr_s2s.scoring.align import check_counts
from asr_s2s.scoring.differences import difference_of
from asr_s2s.scoring.options import ScoreOptions, Settings, settings_of
from asr_s2s.scoring.pairing import Pairs
from asr_s2s.scoring.report import Comparison, Report
from asr_s2s.scoring.significance import MatchedSegments
from asr_s2s.scoring.sources import MemorySource, Text, TextSource, by_line, opened_input, read_sides
from asr_s2s.scoring.summary import report_of
from asr_s2s.scoring.tally import Tally, prepared

Texts = Sequence[str] | Mapping[str, str] | Path  # a single string names a file, too
Given = Sequence[str] | Mapping[str, str] | InputFile
Sides = tuple[TextSource, TextSource]
Keywords = ParamSpec("Keywords")


class _ScoreCall(Protocol[Keywords]):
    def __call__(
        self,
        references: Texts,
        hypotheses: Texts | None = None,
        *none: Keywords.args,
        **options: Keywords.kwargs,
    ) -> Report: ...


class _CompareCall(Protocol[Keywords]):
    def __call__(
        self,
        references: Texts,
        systems: Mapping[str, Texts],
        *none: Keywords.args,
        **options: Keywords.kwargs,
    ) -> Comparison: ...


def _by_keywords(options: Callable[Keywords, ScoreOptions]) -> tuple[_ScoreCall[Keywords], _CompareCall[Keywords]]:
    """Return the public functions, with the fields of a class as their keywords, for type checkers and help() too."""

    def score(
        references: Texts, hypotheses: Texts | None = None, *none: Keywords.args, **named: Keywords.kwargs
    ) -> Report:
        """Score texts, or files of texts: two sequences are paired by position, two mappings by id, files by their ids.

        hypotheses: None where `references` is a manifest that holds both sides
        Raises ScoringError when they cannot be read or paired, TypeError for an option that does not exist.

        >>> score(["the cat sat"], ["the cat sat down"]).normalised.words
        ErrorRate(substitutions=0, deletions=0, insertions=1, reference_length=3)
        """
        return _score(references, hypotheses, settings_of(options(*none, **named)))

    def compare(
        references: Texts, systems: Mapping[str, Texts], *none: Keywords.args, **named: Keywords.kwargs
    ) -> Comparison:
        """Score several systems, by their names, on the same references, and test their differences.

        >>> found = compare(["a b c", "d e"], {"first": ["a b c", "d"], "second": ["a x c", "d"]})
        >>> [(report.system, report.normalised.words.errors) for report in found.reports]
        [('first', 1), ('second', 2)]

        Raises ScoringError when they cannot be read or paired, TypeError for an option that does not exist.
        """
        return _compare(references, systems, settings_of(options(*none, **named)))

    _show_options(score, options)
    _show_options(compare, options)
    return score, compare


def _show_options(function: Any, options: Callable[..., ScoreOptions]) -> None:
    """Let help() and tab completion see the options, too."""
    signature, fields = inspect.signature(function), inspect.signature(options).parameters.values()
    function.__signature__ = signature.replace(parameters=[*list(signature.parameters.values())[:2], *fields])
    function.__doc__ = f"{inspect.getdoc(function)}\n\nOptions. {inspect.getdoc(options)}"
    function.__qualname__ = function.__name__


score, compare = _by_keywords(ScoreOptions)


def _score(references: Texts, hypotheses: Texts | None, settings: Settings) -> Report:
    sides = _sides(_given(references), "references", _given(hypotheses), "hypotheses", settings)
    return _scored({_name(references if hypotheses is None else hypotheses): sides}, settings).reports[0]


def _compare(references: Texts, systems: Mapping[str, Texts], settings: Settings) -> Comparison:
    if not systems:
        raise ScoringError("no systems were given. Give a mapping from their names to their hypotheses.")
    reference = _given(references)  # once: it may be a pipe
    among = isinstance(references, str | Path) and Path(references) in [
        Path(texts) for texts in systems.values() if isinstance(texts, str | Path)
    ]
    sides = {
        name: _sides(reference, "references", _given(hypotheses), name, settings, other_side_scored=among)
        for name, hypotheses in systems.items()
    }
    return _scored(sides, settings)


def system_names(paths: Sequence[Path]) -> list[str]:
    """Name each file as briefly as tells them apart: its name without suffix, or with as many folders as it takes."""
    for num_parts in range(1, max(len(path.parts) for path in paths) + 1):
        names = ["/".join((*path.parts[-num_parts:-1], path.stem)) for path in paths]
        if len(set(names)) == len(paths):
            return names
    return [f"{path.stem} ({number})" for number, path in enumerate(paths, start=1)]


def _name(texts: Texts) -> str:
    return Path(texts).stem if isinstance(texts, str | Path) else "hypotheses"


def _given(texts: Texts | None) -> Given | None:
    """Open files; texts from memory stay as they are. Raises ScoringError."""
    if not isinstance(texts, str | Path):
        _check_texts(texts)
        return texts
    if isinstance(texts, str) and texts != STANDARD_INPUT and not Path(texts).exists():
        raise ScoringError(f"'{texts}' is no file. Name one; texts themselves are given in lists: [text].")
    try:
        return opened_input(Path(texts))
    except OSError as error:
        raise ScoringError(f"{texts}: cannot be read ({error.strerror}). Name an existing file.") from error


def _check_texts(texts: Sequence[str] | Mapping[str, str] | None) -> None:
    """Raise ScoringError for what is no list or mapping of texts."""
    advice = "Give the name of a file, a list of strings, or a mapping from ids to strings."
    if texts is not None and (isinstance(texts, bytes) or not hasattr(texts, "__len__")):
        raise ScoringError(f"a {type(texts).__name__} is no list of texts. {advice}")
    pairs = texts.items() if isinstance(texts, Mapping) else enumerate(texts or (), start=1)
    for name, text in pairs:
        if not isinstance(text, str):
            raise ScoringError(f"text {name} is a {type(text).__name__}. {advice}")


def _sides(
    references: Given | None,
    name: str,
    hypotheses: Given | None,
    other_name: str,
    settings: Settings,
    *,
    other_side_scored: bool = False,
) -> Sides:
    if isinstance(references, InputFile) and (hypotheses is None or isinstance(hypotheses, InputFile)):
        by_channel = not settings.options.cpwer  # which knows sessions and speakers alone
        return read_sides(
            references,
            hypotheses,
            source_format=settings.options.source_format,
            channels=by_channel,
            other_side_scored=other_side_scored,
        )
    if (
        references is None
        or hypotheses is None
        or isinstance(references, InputFile)
        or isinstance(hypotheses, InputFile)
    ):
        raise ScoringError("One side is a file, the other is not. Give two files or two lists of texts.")
    if isinstance(references, Mapping) and isinstance(hypotheses, Mapping):
        return _held(references, name), _held(hypotheses, other_name)
    if isinstance(references, Mapping) or isinstance(hypotheses, Mapping):
        raise ScoringError("One side is a mapping from id to text, the other is not. Give two mappings or two lists.")
    check_counts(references, hypotheses)
    return by_line(name, references), by_line(other_name, hypotheses)


def _held(texts: Mapping[str, str], name: str) -> MemorySource:
    return MemorySource(name, [Text(key, text) for key, text in texts.items()])


def _scored(sides: Mapping[str, Sides], settings: Settings) -> Comparison:
    """Score all systems side by side."""
    pairs = Pairs(next(iter(sides.values()))[0], [hypotheses for _, hypotheses in sides.values()])
    tallies = [Tally(settings) for _ in sides]
    segments = {pair: MatchedSegments() for pair in combinations(range(len(sides)), 2)}
    with ExitStack() as files:
        for source in (pairs.reference, *(match.source for match in pairs.matches)):
            files.callback(source.close)
        _count(pairs, settings, tallies, segments)
    reports = [
        report_of(name, tally, pairs.pairing(match, settings.options.missing), sides[name], settings)
        for name, tally, match in zip(sides, tallies, pairs.matches, strict=True)
    ]
    differences = [
        difference_of(reports[first], reports[second], matched) for (first, second), matched in segments.items()
    ]
    return Comparison(tuple(reports), tuple(differences))


def _count(
    pairs: Pairs,
    settings: Settings,
    tallies: Sequence[Tally],
    segments: Mapping[tuple[int, int], MatchedSegments],
) -> None:
    """Count every pair of every system, and the segments of every two systems."""
    skipped = settings.options.missing == "skip"
    for place, (reference, hypotheses) in enumerate(pairs):
        cut = prepared(reference.text, settings.normalizer)
        edits = [
            None if skipped and hypothesis is None else tally.add(place, reference, cut, hypothesis)
            for tally, hypothesis in zip(tallies, hypotheses, strict=True)
        ]
        for (first, second), matched in segments.items():
            one, other = edits[first], edits[second]
            if one is not None and other is not None:
                matched.add(one, other)
