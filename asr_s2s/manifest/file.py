"""Manifest files: reading checks every line and reports all faults at once; writing keeps what it does not know."""

import json
from collections.abc import Iterable
from pathlib import Path

from asr_s2s.errors import ManifestError, listed
from asr_s2s.files import write_text
from asr_s2s.inputs import folder_of, read_bytes
from asr_s2s.manifest.line import BrokenLineError, checked_utterance, parse_line
from asr_s2s.manifest.utterance import Utterance, utterance_to_json

NUM_BYTES_LOOKED_AT = 4096  # a zero byte among them stands in no JSON
NUM_FAULTS_SHOWN = 20  # a terminal's screen; the lines beyond are listed by number


def read_manifest(path: str | Path) -> list[Utterance]:
    """Read all utterances in order; blank lines are skipped, `origin` keeps "file:line" for messages.

    Raises ManifestError that lists every broken line and every doubled id.

    >>> utterances = read_manifest("tests/data/manifest.jsonl")
    >>> utterances[0].text, utterances[0].duration
    ("It's the aurora borealis.", 1.894)
    """
    utterances, faults = read_usable_lines(path)
    if faults:
        raise ManifestError(_report(Path(path), faults, len(utterances) + len(faults)))
    return utterances


def read_usable_lines(path: str | Path) -> tuple[list[Utterance], dict[int, list[str]]]:
    """Read the utterances that can be used, and give by its number what is wrong with each other line.

    Raises ManifestError for a file that cannot be read at all.
    """
    try:
        path = Path(path)
        content = read_bytes(path)
    except TypeError as error:
        raise ManifestError(f"a {type(path).__name__} is no path of a manifest. Give a str or a Path.") from error
    except OSError as error:
        raise ManifestError(f"{path}: cannot be read ({error.strerror}). Name an existing manifest.") from error
    if b"\0" in content[:NUM_BYTES_LOOKED_AT]:
        advice = "Name a .jsonl file; 'asr-s2s prepare' writes one for a folder of audio."
        raise ManifestError(f"{path}: is no manifest but a binary file, such as audio. {advice}")
    if content.split(b"\n", maxsplit=1)[0].strip() in (b"[", b"{"):
        raise ManifestError(f"{path}: holds one JSON value over several lines. Write one object a line.")
    utterances: list[Utterance] = []
    faults: dict[int, list[str]] = {}
    first_line: dict[str, int] = {}
    folder = folder_of(path)
    # Split at \n alone: str.splitlines would also split at U+2028, which JSON strings may hold as it is.
    for number, raw in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not raw.strip():
            continue
        try:
            utterance = checked_utterance(parse_line(raw), folder=folder, origin=f"{path}:{number}")
        except BrokenLineError as error:
            faults[number] = error.faults
            continue
        earlier = first_line.setdefault(utterance.id, number)
        if earlier == number:
            utterances.append(utterance)
        else:
            faults[number] = [f"the id '{utterance.id}' stands on line {earlier} too. Give each line its own 'id'."]
    return utterances, faults


def write_manifest(path: str | Path, utterances: Iterable[Utterance]) -> None:
    """Write a manifest, whole or not at all; its audio paths are relative to its own folder.

    Raises ManifestError for ids that are doubled, and for values that JSON has not: the file could not be read again.
    """
    path = Path(path)
    lines: dict[str, str] = {}
    doubled: list[str] = []
    for utterance in utterances:
        if not isinstance(utterance, Utterance):
            raise ManifestError(f"{path}: is not written: a {type(utterance).__name__} is no Utterance.")
        if utterance.id in lines:
            doubled.append(utterance.id)
        record = utterance_to_json(utterance, folder=path.parent)
        try:
            lines[utterance.id] = json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n"
        except (TypeError, ValueError) as error:
            raise ManifestError(f"{path}: is not written: utterance '{utterance.id}': {error}. Correct it.") from error
    if doubled:
        raise ManifestError(
            f"{path}: is not written: {len(doubled)} ids are doubled: {listed(doubled)}. Give each utterance its own."
        )
    write_text(path, "".join(lines.values()))


def _report(path: Path, faults: dict[int, list[str]], num_lines: int) -> str:
    """Word all faults: the first lines in full, every line by its number."""
    shown = [f"{path}:{number}: {' '.join(faults[number])}" for number in list(faults)[:NUM_FAULTS_SHOWN]]
    beyond = list(faults)[NUM_FAULTS_SHOWN:]
    rest = [f"and lines {_ranges(beyond)}"] if beyond else []
    head = f"{path}: {len(faults)} of {num_lines} lines cannot be used. Correct them; nothing was read:"
    return "\n".join([head, *shown, *rest])


def _ranges(numbers: list[int]) -> str:
    """Join line numbers, runs shortened: '21-40, 52'."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
