"""Compute a report again from the JSON that holds it, and say what comes out differently."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from asr_s2s.errors import ScoringError
from asr_s2s.inputs import read_text
from asr_s2s.scoring.json_report import VERSION, document
from asr_s2s.scoring.options import ScoreOptions
from asr_s2s.scoring.provenance import versions
from asr_s2s.scoring.report import Comparison, Report
from asr_s2s.scoring.scorer import compare, score
from asr_s2s.scoring.sources import opened_input

# Told apart from the numbers: the data and the versions are compared on their own, the command may be another.
NOT_COMPARED = {"provenance", "differences_in_words"}
TOLERANCE = 1e-9


def verify(path: Path) -> list[str]:
    """Say, a line each, what is not as the report says; nothing if all numbers come out again.

    Raises ScoringError when the report, or the data that it names, cannot be read.
    """
    stored = _read(path)
    first = stored["systems"][0] if "systems" in stored else stored
    provenance = first["provenance"]
    if not provenance["files"]:
        raise ScoringError(f"{path}: was made of texts in memory, which cannot be read again. Verify reports of files.")
    if gone := [file["path"] for file in provenance["files"] if not Path(file["path"]).exists()]:
        raise ScoringError(
            f"{path}: was made of {gone[0]}, which is not there. What came through a pipe cannot be verified."
        )
    again = json.loads(json.dumps(document(_again(stored, _options(path, provenance["options"])))))
    found = [*_changed_files(stored), *_changed_versions(provenance["versions"])]
    return found + [f"{place}: {old} in the report, {new} now" for place, old, new in _differing(stored, again, "")]


def _read(path: Path) -> dict[str, Any]:
    try:
        stored = json.loads(read_text(path, error=ScoringError, advice="Name a report written with --json."))
        if stored["version"] != VERSION:
            raise ScoringError(
                f"{path}: has version {stored['version']} of the report's form, {VERSION} is known. Make it anew."
            )
        systems = stored.get("systems", [stored])
        _ = [system["provenance"]["files"] and system["provenance"]["options"] for system in systems]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ScoringError(f"{path}: is no report of asr-s2s score. Name one that was written with --json.") from error
    return dict(stored)


def _options(path: Path, noted: Any) -> dict[str, Any]:
    try:
        return asdict(ScoreOptions(**noted))
    except (TypeError, ScoringError) as error:
        raise ScoringError(f"{path}: has options that are not known here ({error}). Make it anew.") from error


def _again(stored: Mapping[str, Any], options: Mapping[str, Any]) -> Report | Comparison:
    if "systems" not in stored:
        return score(*_paths(stored), **options)
    systems = {system["system"]: _paths(system)[-1] for system in stored["systems"]}
    return compare(_paths(stored["systems"][0])[0], systems, **options)


def _paths(stored: Mapping[str, Any]) -> list[Path]:
    return [Path(file["path"]) for file in stored["provenance"]["files"]]


def _changed_files(stored: Mapping[str, Any]) -> list[str]:
    systems = stored.get("systems", [stored])
    files = {file["path"]: file["sha256"] for system in systems for file in system["provenance"]["files"]}
    return [
        f"{path}: the file has changed since"
        for path, known in files.items()
        if opened_input(Path(path)).sha256() != known
    ]


def _changed_versions(known: Mapping[str, str]) -> list[str]:
    now = versions()
    return [
        f"{name}: {known[name]} in the report, {now.get(name)} now" for name in known if known[name] != now.get(name)
    ]


def _differing(old: Any, new: Any, place: str) -> Iterator[tuple[str, Any, Any]]:
    """Walk through both documents; lists of different lengths differ as a whole."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in old.keys() | new.keys():
            if key not in NOT_COMPARED:
                yield from _differing(old.get(key), new.get(key), f"{place}.{key}".removeprefix("."))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for at, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _differing(one, other, f"{place}[{at}]")
    elif isinstance(old, float) and isinstance(new, float):
        if abs(old - new) > TOLERANCE:
            yield place, old, new
    elif old != new:
        yield place, _shown(old), _shown(new)


def _shown(value: Any) -> Any:
    return f"{len(value)} entries" if isinstance(value, list | dict) else value
