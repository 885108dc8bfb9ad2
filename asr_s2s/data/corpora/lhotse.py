"""lhotse's manifests: cuts, or recordings with supervisions, as JSON lines, gzipped or not.

Żelasko et al. 2021, "Lhotse: a speech data representation library for the modern deep learning ecosystem". A
supervision becomes an utterance; a cut or a recording without one becomes an utterance without text.
"""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from asr_s2s.data.corpora.shared import refuse, refuse_doubled, with_durations
from asr_s2s.errors import ManifestError, MissingExtraError
from asr_s2s.manifest import Utterance, Word

# lhotse is an optional extra, so its classes have no names here: a cut, recording or supervision is Any.


class _UnusableError(Exception):
    """Something that a line of our manifest cannot express."""


def read_lhotse(source: Path) -> list[Utterance]:
    """Read a .jsonl or .jsonl.gz file of cuts, or a folder that holds one, or recordings and supervisions.

    Audio paths are as seen from the working folder or from the manifest's.
    Raises ManifestError that lists every broken line; MissingExtraError where lhotse is not installed.
    """
    faults: list[str] = []
    cuts = [source] if source.is_file() else _find(source, "cuts")
    recordings, supervisions = _find(source, "recordings"), _find(source, "supervisions")
    if cuts:
        utterances = [item for path in cuts for item in _read_cuts(path, faults)]
    elif recordings and supervisions:
        utterances = _read_supervisions(recordings, supervisions, faults)
    else:
        raise ManifestError(
            f"{source}: holds neither *cuts*.jsonl(.gz), nor *recordings* and *supervisions*. Name the folder or file."
        )
    refuse_doubled(utterances, faults)
    utterances = with_durations(utterances, faults)
    refuse(source, faults)
    return utterances


def _find(folder: Path, kind: str) -> list[Path]:
    return sorted(path for ending in ("jsonl", "jsonl.gz") for path in folder.glob(f"*{kind}*.{ending}"))


def _read_cuts(path: Path, faults: list[str]) -> Iterator[Utterance]:
    for where, cut in _read_items(path, "MonoCut", faults):
        try:
            audio_path = _audio_path(cut.recording, path.parent)
        except _UnusableError as error:
            faults.append(f"{where}: the cut '{cut.id}' {error}")
            continue
        for supervision in cut.supervisions:
            yield _utterance(supervision, audio_path, origin=where, begin=cut.start)
        if not cut.supervisions:
            yield Utterance(cut.id, audio_path, offset=float(cut.start), duration=cut.duration, origin=where)


def _read_supervisions(recordings: list[Path], supervisions: list[Path], faults: list[str]) -> list[Utterance]:
    paths: dict[str, tuple[str, Path | None]] = {}
    for path in recordings:
        for where, recording in _read_items(path, "Recording", faults):
            paths[recording.id] = (where, None)
            try:
                paths[recording.id] = (where, _audio_path(recording, path.parent))
            except _UnusableError as error:
                faults.append(f"{where}: the recording '{recording.id}' {error}")
    utterances = []
    spoken = set()
    for path in supervisions:
        for where, supervision in _read_items(path, "SupervisionSegment", faults):
            name = supervision.recording_id
            spoken.add(name)
            if name not in paths:
                faults.append(f"{where}: there is no recording '{name}'. Add it, or remove the supervision.")
            elif audio_path := paths[name][1]:
                utterances.append(_utterance(supervision, audio_path, origin=where, begin=0.0))
    untold = ((name, where, path) for name, (where, path) in paths.items() if path and name not in spoken)
    return utterances + [Utterance(name, path, origin=where) for name, where, path in untold]


def _read_items(path: Path, kind: str, faults: list[str]) -> Iterator[tuple[str, Any]]:
    """Give ("path:number", item) for each line that is of the kind, a class of lhotse's."""
    try:
        from lhotse.serialization import deserialize_item  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise MissingExtraError("lhotse's manifests need lhotse: pip install 'asr-s2s[lhotse]'") from error
    for number, line in enumerate(_lines(path), start=1):
        where = f"{path}:{number}"
        if not line.strip():
            continue
        try:
            item = deserialize_item(json.loads(line))
        except json.JSONDecodeError as error:
            faults.append(f"{where}: is not valid JSON ({error.msg}, column {error.colno}).")
        except (AssertionError, AttributeError, KeyError, TypeError, ValueError) as error:
            faults.append(f"{where}: lhotse cannot read it as a {kind} ({type(error).__name__}: {error}).")
        else:
            if type(item).__name__ == kind:
                yield where, item
            else:
                faults.append(f"{where}: is a {type(item).__name__}, not a {kind}. Save each as a {kind} of its own.")


def _lines(path: Path) -> list[str]:
    try:
        content = path.read_bytes()
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError) as error:  # gzip: a bad header is an OSError, a cut file an EOFError
        raise ManifestError(f"{path}: cannot be read ({error}). Save it again.") from error
    return text.split("\n")


def _audio_path(recording: Any, folder: Path) -> Path:
    """Give the one-channel file that a recording stands for."""
    if recording is None:
        raise _UnusableError("has no recording. Save the cuts with their recordings.")
    if recording.transforms:
        raise _UnusableError("is changed on reading (transforms). Save the changed audio and name that.")
    if recording.num_channels != 1 or len(recording.sources) != 1:
        raise _UnusableError(f"has {recording.num_channels} channels. Save each as a recording of its own.")
    source = recording.sources[0]
    if source.type != "file":
        raise _UnusableError(f"comes from a {source.type}, not a file. Save the audio as files.")
    for path in (Path(source.source), folder / source.source):
        if path.is_file():
            return path
    raise _UnusableError(f"names {source.source}, neither below the working folder nor below {folder}. Mend the path.")


def _utterance(supervision: Any, audio_path: Path, *, origin: str, begin: float) -> Utterance:
    """Make an utterance of a supervision whose times count from `begin`, in seconds of the file."""
    custom = supervision.custom or {}
    extra = {key: value for key, value in custom.items() if isinstance(value, bool | int | float | str)}
    if supervision.gender:
        extra["gender"] = supervision.gender
    # lhotse 1.33 moves word times with a cut's start in truncate, but not in trim_to_supervisions: none beat wrong ones
    words = (supervision.alignment or {}).get("word") if begin == 0 else None
    return Utterance(
        supervision.id,
        audio_path,
        text=supervision.text,
        offset=round(float(begin + supervision.start), 6),
        duration=supervision.duration,
        words=None if words is None else tuple(_word(item) for item in words if item.symbol.strip()),
        speaker=supervision.speaker,
        language=supervision.language,
        extra=extra,
        origin=origin,
    )


def _word(item: Any) -> Word:
    return Word(item.symbol, item.start, round(item.start + item.duration, 6), item.score)
