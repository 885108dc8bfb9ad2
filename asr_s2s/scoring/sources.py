"""Read references and hypotheses: manifests, Kaldi `text`, trn, plain lines.

The format is told from the file: a manifest by its suffix or its first key, trn by its suffix or the ids in brackets
that end its lines, Kaldi `text` by its name or by first words that look like ids; anything else is plain lines.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from asr_s2s.errors import ScoringError, listed
from asr_s2s.manifest import Utterance, read_manifest

SourceFormat = Literal["manifest", "kaldi", "trn", "lines"]
Side = Literal["reference", "hypothesis"]

SUFFIXES: dict[str, SourceFormat] = {".jsonl": "manifest", ".json": "manifest", ".trn": "trn"}
MANIFEST_START = re.compile(r'\s*\{\s*"')
TRN_LINE = re.compile(r"(.*)\(([^()]+)\)\s*")
TRN_CHOICE = re.compile(r"\{.*/.*\}")  # sclite's "either of these"
# An id holds a digit beside a letter or a joint ("84-121123-0000"), or is a long number; a plain sentence seldom
# begins with such a word, and a whole file of them never does.
KALDI_ID = re.compile(r"(?=.*\d)(?=.*[^\W\d]|.*[-_./:])\S{3,}|\d{4,}")


@dataclass(frozen=True, slots=True)
class Text:
    """What one side says of one utterance; labels are its manifest's other fields, for grouping."""

    id: str
    text: str
    labels: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """All texts of one side, with a name for the report; where there are no ids, texts are named by their line."""

    name: str
    texts: tuple[Text, ...]
    has_ids: bool = True


def read_source(path: Path, side: Side, *, source_format: SourceFormat | None = None) -> Source:
    """Read one side from a file, in the format asked for or else the one told from the file.

    Raises ScoringError or ManifestError that lists every broken line.
    """
    content = _read(path)
    chosen = source_format or _format_of(path, content)
    if chosen == "manifest":
        return manifest_side(path, read_manifest(path), side)
    lines = _lines(content)
    if chosen == "kaldi":
        return Source(str(path), _kaldi_texts(lines))
    if chosen == "trn":
        return Source(str(path), _trn_texts(path, lines))
    return by_line(str(path), lines)


def by_line(name: str, lines: Sequence[str]) -> Source:
    """Take texts that have no ids; an empty line is an utterance too."""
    texts = tuple(Text(f"line {number}", line) for number, line in enumerate(lines, start=1))
    return Source(name, texts, has_ids=False)


def read_both_sides(path: Path) -> tuple[Source, Source]:
    """Read references and hypotheses from one manifest's `text` and `pred_text`.

    Raises ScoringError when the file is no manifest or lacks one of the two.
    """
    if _format_of(path, _read(path)) != "manifest":
        raise ScoringError(
            f"{path}: is not a manifest. One file alone must be one, with 'text' and 'pred_text' on each line; "
            "otherwise give two files: the reference, then the hypothesis."
        )
    utterances = read_manifest(path)
    return manifest_side(path, utterances, "reference"), manifest_side(path, utterances, "hypothesis")


def manifest_side(path: Path, utterances: list[Utterance], side: Side) -> Source:
    """Take the references from `text` or the hypotheses from `pred_text`; a line without pred_text is missing.

    Raises ScoringError when a reference, or every hypothesis, lacks its field.
    """
    name = "text" if side == "reference" else "pred_text"
    found = [
        Text(utterance.id, text, _labels(utterance))
        for utterance in utterances
        if (text := utterance.text if side == "reference" else utterance.pred_text) is not None
    ]
    lacking = len(utterances) - len(found)
    if side == "reference" and lacking:
        without = [f"{utterance.origin or path} '{utterance.id}'" for utterance in utterances if utterance.text is None]
        raise ScoringError(
            f"{path}: {lacking} of {len(utterances)} utterances have no 'text' to score against: {listed(without)}. "
            "Add what was said (an empty string where nothing was), or remove these lines."
        )
    if side == "hypothesis" and utterances and not found:
        raise ScoringError(
            f"{path}: no line has 'pred_text', so there is nothing to score. Write it with 'asr-s2s transcribe "
            "--manifest', or rename the field that holds what was recognised."
        )
    return Source(f"{path} ({name})", tuple(found))


def _labels(utterance: Utterance) -> dict[str, Any]:
    own = {"speaker": utterance.speaker, "language": utterance.language}
    return {**utterance.extra, **{name: value for name, value in own.items() if value is not None}}


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ScoringError(f"{path}: cannot be read ({error.strerror}). Name an existing file.") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ScoringError(f"{path}:{line}: is not UTF-8 text. Convert the file with iconv.") from error


def _lines(content: str) -> list[str]:
    """Cut at line ends alone: str.splitlines would also cut at rare characters within a text."""
    lines = content.split("\n")  # a carriage return is white space like any other
    return lines[:-1] if lines[-1] == "" else lines


def _format_of(path: Path, content: str) -> SourceFormat:
    named: SourceFormat | None = "kaldi" if path.name == "text" else SUFFIXES.get(path.suffix)
    if named:
        return named
    if MANIFEST_START.match(content):
        return "manifest"
    filled = [line for line in _lines(content) if line.strip()]
    if filled and all(TRN_LINE.fullmatch(line) for line in filled):
        return "trn"
    if filled and all(KALDI_ID.fullmatch(line.split(maxsplit=1)[0]) for line in filled):
        return "kaldi"
    return "lines"


def _kaldi_texts(lines: list[str]) -> tuple[Text, ...]:
    parts = [line.split(maxsplit=1) for line in lines if line.strip()]
    return tuple(Text(part[0], part[1] if len(part) > 1 else "") for part in parts)


def _trn_texts(path: Path, lines: list[str]) -> tuple[Text, ...]:
    numbered = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    matched = [(number, TRN_LINE.fullmatch(line)) for number, line in numbered]
    broken = [str(number) for number, match in matched if match is None]
    if broken:
        raise ScoringError(
            f"{path}: {len(broken)} of {len(numbered)} lines do not end with an id in brackets: "
            f"lines {listed(broken)}. Write each line as 'words (id)'."
        )
    choices = [str(number) for number, match in matched if match and TRN_CHOICE.search(match[1])]
    if choices:
        raise ScoringError(
            f"{path}: {len(choices)} lines hold alternatives such as '{{ a / b }}', which are not understood here: "
            f"lines {listed(choices)}. Write one spelling."
        )
    return tuple(Text(match[2].strip(), match[1].strip()) for _, match in matched if match)
