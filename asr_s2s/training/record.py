"""utterances.jsonl: what a run was started with, so that it goes on by the same plan whatever becomes of recordings.

An utterance a line: its set, what the manifest said, where its sound lies, and the seconds that batches are planned by.
A line that cannot be read any more may be corrected in the manifests, or removed from them; any other may not.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from asr_s2s.data import seconds_by_decoding
from asr_s2s.errors import AudioError, CheckpointError, listed
from asr_s2s.files import write_text
from asr_s2s.manifest import Utterance, relative_path
from asr_s2s.training.material import GENERAL, GENERAL_UNUSED, SETS, TRAIN, Material

UTTERANCES_FILE = "utterances.jsonl"
COMPARED = ("offset", "duration", "text")


@dataclass(frozen=True)
class Recorded:
    """An utterance as a run was started with it."""

    part: str  # one of SETS
    utterance: Utterance
    seconds: float | None  # None where it is not trained on


def record_text(folder: Path, material: Material) -> str:
    """Word what a run is started with, for a file in that folder."""
    seconds = dict(zip((one.id for one in material.train), material.seconds, strict=True))
    lines = []
    for part, utterances in material.sets.items():
        for one in utterances:
            values = {"id": one.id, "set": part} | {key: getattr(one, key) for key in COMPARED}
            values |= {"seconds": seconds.get(one.id) if part == TRAIN else None}
            values |= {"audio_filepath": relative_path(one.audio_path, folder)}
            lines.append(json.dumps(values, ensure_ascii=False) + "\n")
    return "".join(lines)


def write_record(folder: Path, material: Material) -> None:
    """Write down what a run is started with."""
    write_text(folder / UTTERANCES_FILE, record_text(folder, material))


def fingerprint(text: str) -> str:
    """Name a record."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_record(folder: Path) -> list[Recorded]:
    """Read what a run was started with. Raises CheckpointError if it cannot be read."""
    path = folder / UTTERANCES_FILE
    try:
        return [_recorded(json.loads(line), folder) for line in path.read_text(encoding="utf-8").split("\n") if line]
    except (OSError, ValueError, KeyError) as error:
        raise CheckpointError(
            f"{path}: cannot be read, or is of another version ({error!r}). Start a new run --from its checkpoint."
        ) from error


def _recorded(line: dict[str, Any], folder: Path) -> Recorded:
    values = {key: line[key] for key in ("id", *COMPARED)}
    utterance = Utterance(audio_path=folder / line["audio_filepath"], **values, origin=f"{folder / UTTERANCES_FILE}")
    return Recorded(line["set"], utterance, line["seconds"])


def as_started(now: Material, record: Sequence[Recorded]) -> tuple[Material, str]:
    """Divide and order the utterances of now as they were when the run was started; say what differs and may not.

    What is gone from training, because it could not be read, stays in its batch, which is made without it; what is gone
    from the sets that judge is not asked any more.
    """
    there = {_key(part, one): one for part, items in now.sets.items() for one in items}
    sought = [(each, there.pop(_key(each.part, each.utterance), None)) for each in record]
    differing = [place for place, (each, one) in enumerate(sought) if one is None or _change(each.utterance, one)]
    found = seconds_by_decoding([sought[place][0].utterance for place in differing])
    gone, other = [], []
    for place, sound in zip(differing, found, strict=True):
        each, one = sought[place]
        if isinstance(sound, AudioError):  # it was corrected or removed
            sought[place] = each, one or (each.utterance if each.part == TRAIN else None)
        elif one is None:
            gone.append(f"'{each.utterance.id}'")
        else:
            other.append(f"'{one.id}' ({_change(each.utterance, one)})")
    sets: dict[str, list[Utterance]] = {part: [] for part in SETS}
    for each, one in sought:
        if one is not None:
            sets[each.part].append(one)
    seconds = [each.seconds or 0.0 for each, one in sought if one is not None and each.part == TRAIN]
    groups = {"are gone": gone, "are new": [f"'{one.id}'" for one in there.values()], "are not the same": other}
    changes = "; ".join(f"{len(names)} utterances {what}: {listed(names)}" for what, names in groups.items() if names)
    return replace(now, sets=sets, seconds=seconds), changes


def _key(part: str, utterance: Utterance) -> tuple[bool, str]:
    return part in (GENERAL, GENERAL_UNUSED), utterance.id  # other speech may have the ids of what is trained on


def _change(before: Utterance, now: Utterance) -> str:
    values = ((key, getattr(before, key), getattr(now, key)) for key in COMPARED)
    return ", ".join(f"{key} was {one!r} and is {other!r}" for key, one, other in values if one != other)
