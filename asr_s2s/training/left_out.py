"""left_out.jsonl: a manifest of the training recordings that could not be read, each once, with the reason."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from asr_s2s.data import seconds_by_decoding
from asr_s2s.errors import AudioError
from asr_s2s.manifest import Utterance, read_manifest, write_manifest

LEFT_OUT_FILE = "left_out.jsonl"


@dataclass
class Lost:
    """Recordings that cannot be read any more, by id, in a row: since the last step that learned from any."""

    names: list[str] = field(default_factory=list)
    step: int = 0  # where the row begins
    batches: int = 0


def read_left_out(folder: Path) -> list[Utterance]:
    """Read what a run has left out so far."""
    path = folder / LEFT_OUT_FILE
    return read_manifest(path) if path.exists() else []


def still_unreadable(folder: Path, utterances: Iterable[Utterance]) -> dict[str, str]:
    """Return why those of the utterances that were left out before cannot be read now, by id."""
    listed = {one.id for one in read_left_out(folder)}
    again = [one for one in utterances if one.id in listed]
    found = zip(again, seconds_by_decoding(again), strict=True)
    return {one.id: str(fault) for one, fault in found if isinstance(fault, AudioError)}


def add_left_out(folder: Path, utterances: Iterable[Utterance], reasons: Mapping[str, str]) -> None:
    """List the utterances among these that there are reasons for, behind those that are listed already."""
    before = read_left_out(folder)
    known = {one.id for one in before}
    more = [
        replace(one, extra={**one.extra, "reason": reasons[one.id]})
        for one in utterances
        if one.id in reasons and one.id not in known
    ]
    if more:
        write_manifest(folder / LEFT_OUT_FILE, [*before, *more])


def forget_absent(folder: Path, names: Collection[str]) -> None:
    """Take those of the names off the list whose files are absent: when they come back, nothing was left out."""
    kept = [one for one in read_left_out(folder) if one.id not in names or one.audio_path.exists()]
    write_manifest(folder / LEFT_OUT_FILE, kept)
