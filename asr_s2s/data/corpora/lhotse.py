"""lhotse's manifests: cuts, or recordings with supervisions, as JSON lines, gzipped or not.

Żelasko et al. 2021, "Lhotse: a speech data representation library for the modern deep learning ecosystem". A
supervision becomes an utterance; a cut or a recording without one becomes an utterance without text.
"""

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from asr_s2s.data.corpora.shared import BROKEN_LINE, NO_AUDIO, UNREADABLE, WHOLE, Corpus
from asr_s2s.errors import ManifestError, MissingExtraError
from asr_s2s.inputs import read_bytes
from asr_s2s.manifest import Utterance, Word

# lhotse is an optional extra, so its classes have no names here: a cut, recording or supervision is Any.
Items = Iterable[tuple[str, Any]]  # where it stands, and what


class _UnusableError(Exception):
    """Something that a line of our manifest cannot express."""


def read_lhotse(source: Path) -> Corpus:
    """Read a .jsonl or .jsonl.gz file of cuts, or a folder that holds one, or recordings and supervisions.

    Audio paths are as seen from the working folder or from the manifest's.
    Raises MissingExtraError where lhotse is not installed.
    """
    corpus = Corpus()
    cuts = [source] if source.is_file() else _find(source, "cuts")
    recordings, supervisions = _find(source, "recordings"), _find(source, "supervisions")
    if cuts:
        for path in cuts:
            add_cuts(_read_items(path, "MonoCut", corpus), corpus, folder=path.parent)
    elif recordings and supervisions:
        add_supervisions(
            (item for path in recordings for item in _read_items(path, "Recording", corpus)),
            (item for path in supervisions for item in _read_items(path, "SupervisionSegment", corpus)),
            corpus,
            folder=source,
        )
    else:
        raise ManifestError(
            f"{source}: holds neither *cuts*.jsonl(.gz), nor *recordings* and *supervisions*. Name the folder or file."
        )
    return corpus


def _find(folder: Path, kind: str) -> list[Path]:
    return sorted(path for ending in ("jsonl", "jsonl.gz") for path in folder.glob(f"*{kind}*.{ending}"))


def add_cuts(cuts: Items, corpus: Corpus, *, folder: Path, part: str = WHOLE) -> None:
    """Add the supervisions of cuts, and cuts without one; audio paths are as seen from here or from the folder."""
    for where, cut in cuts:
        try:
            audio_path = _audio_path(cut.recording, folder)
        except _UnusableError as error:
            corpus.leave_out(NO_AUDIO, f"{where}: the cut '{cut.id}' {error}")
            continue
        for supervision in cut.supervisions:
            corpus.add(_utterance(supervision, audio_path, origin=where, begin=cut.start), part=part)
        if not cut.supervisions:
            whole = Utterance(cut.id, audio_path, offset=float(cut.start), duration=cut.duration, origin=where)
            corpus.add(whole, part=part)


def add_supervisions(
    recordings: Items, supervisions: Items, corpus: Corpus, *, folder: Path, part: str = WHOLE
) -> None:
    """Add supervisions of recordings, and recordings without one."""
    paths: dict[str, tuple[str, Path | None]] = {}
    for where, recording in recordings:
        paths[recording.id] = (where, None)
        try:
            paths[recording.id] = (where, _audio_path(recording, folder))
        except _UnusableError as error:
            corpus.leave_out(NO_AUDIO, f"{where}: the recording '{recording.id}' {error}")
    spoken = set()
    for where, supervision in supervisions:
        name = supervision.recording_id
        spoken.add(name)
        if name not in paths:
            advice = f"there is no recording '{name}'. Add it, or remove the supervision."
            corpus.leave_out(NO_AUDIO, f"{where}: {advice}")
        elif audio_path := paths[name][1]:
            corpus.add(_utterance(supervision, audio_path, origin=where, begin=0.0), part=part)
    for name, (where, path) in paths.items():
        if path and name not in spoken:
            corpus.add(Utterance(name, path, origin=where), part=part)


def _read_items(path: Path, kind: str, corpus: Corpus) -> Iterator[tuple[str, Any]]:
    """Return ("path:number", item) for each line that is of the kind, a class of lhotse's."""
    try:
        from lhotse.serialization import deserialize_item  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise MissingExtraError("lhotse's manifests need lhotse: pip install 'asr-s2s[lhotse]'") from error
    for number, line in enumerate(_lines(path, corpus), start=1):
        where = f"{path}:{number}"
        if not line.strip():
            continue
        try:
            item = deserialize_item(json.loads(line))
        except json.JSONDecodeError as error:
            corpus.leave_out(BROKEN_LINE, f"{where}: is not valid JSON ({error.msg}, column {error.colno}).")
        except (AssertionError, AttributeError, KeyError, TypeError, ValueError) as error:
            why = f"lhotse cannot read it as a {kind} ({type(error).__name__}: {error})."
            corpus.leave_out(BROKEN_LINE, f"{where}: {why}")
        else:
            if type(item).__name__ == kind:
                yield where, item
            else:
                why = f"is a {type(item).__name__}, not a {kind}. Save each as a {kind} of its own."
                corpus.leave_out(BROKEN_LINE, f"{where}: {why}")


def _lines(path: Path, corpus: Corpus) -> list[str]:
    try:
        content = read_bytes(path)
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:  # gzip: EOFError of a file that is cut off
        corpus.leave_out(UNREADABLE, f"{path}: cannot be read ({error}). Save it again.")
        return []
    return text.split("\n")


def _audio_path(recording: Any, folder: Path) -> Path:
    """Return the one-channel file that a recording stands for."""
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
    raise _UnusableError(f"names {source.source}, neither in the working folder nor in {folder}. Correct the path.")


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
