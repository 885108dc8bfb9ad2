"""Every audio file of a corpus opened once, many at a time: how long it is, and a checksum of its bytes."""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from asr_s2s.audio import audio_duration
from asr_s2s.data.corpora.shared import NO_AUDIO, NO_PIECE, UNREADABLE, Corpus, first_messages
from asr_s2s.errors import AudioError, ManifestError
from asr_s2s.manifest import Utterance

THREADS = 8  # waiting for a disk, and hashing, which both leave Python to the others
AHEAD = 5_000  # files
OVERSHOOT = 0.5  # seconds that a piece may reach beyond its recording; Kaldi's extract-segments allows as much


@dataclass(frozen=True, slots=True)
class AudioFile:
    """What a file is: its length in seconds, and the SHA-256 of its bytes where it was asked for."""

    duration: float
    sha256: str | None


@dataclass(frozen=True)
class Measured:
    """A corpus whose utterances all have sound, and the files that they lie in."""

    corpus: Corpus
    files: dict[Path, AudioFile]


def audio_paths(corpus: Corpus) -> list[Path]:
    """List the files that a corpus names, each once."""
    return list(dict.fromkeys(item.audio_path for item in corpus.utterances))


def measure(
    corpus: Corpus, *, source: Path, checksums: bool = False, on_file: Callable[[], None] | None = None
) -> Measured:
    """Fill in the durations, and leave out what cannot be opened or does not lie within its recording.

    on_file: called after each file
    Raises ManifestError with the first faults if no utterance remains.
    """
    files: dict[Path, AudioFile] = {}
    errors: dict[Path, AudioError] = {}
    for path, found in _look_at_all(audio_paths(corpus), checksums):
        if isinstance(found, AudioFile):
            files[path] = found
        else:
            errors[path] = found
        if on_file:
            on_file()
    usable = Corpus(left_out=list(corpus.left_out))
    for part, utterances in corpus.parts.items():
        usable.parts[part] = {}
        for item in utterances.values():
            where = f"{item.origin}: " if item.origin else ""
            if item.audio_path in errors:
                cause = UNREADABLE if item.audio_path.exists() else NO_AUDIO
                usable.leave_out(cause, f"{where}utterance '{item.id}': {errors[item.audio_path]}")
            elif (placed := _within(item, files[item.audio_path].duration)) is not None:
                usable.add(placed, part=part)
            else:
                length = files[item.audio_path].duration
                end = "" if item.duration is None else f" to {item.offset + item.duration:.2f} s"
                goes = f"goes from {item.offset:.2f} s{end}, its recording to {length:.2f} s"
                usable.leave_out(NO_PIECE, f"{where}utterance '{item.id}' {goes}. Correct the times.")
    if not usable.utterances:
        head = f"{source}: holds no utterance that can be used; {len(usable.left_out)} are left out:"
        raise ManifestError("\n".join([head, *first_messages(usable.left_out)]))
    return Measured(usable, files)


def _look_at_all(paths: list[Path], checksums: bool) -> Iterator[tuple[Path, AudioFile | AudioError]]:
    """Look at files in threads, in order, a few thousand at a time: what waits takes memory too."""
    with ThreadPoolExecutor(THREADS) as pool:
        for start in range(0, len(paths), AHEAD):
            chunk = paths[start : start + AHEAD]
            yield from zip(chunk, pool.map(lambda path: _look_at(path, checksums), chunk), strict=True)


def _look_at(path: Path, checksums: bool) -> AudioFile | AudioError:
    try:
        duration = audio_duration(path)
        if not checksums:
            return AudioFile(duration, None)
        with path.open("rb") as file:
            return AudioFile(duration, hashlib.file_digest(file, "sha256").hexdigest())
    except AudioError as error:
        return error
    except OSError as error:
        return AudioError(f"{path}: cannot be read ({error.strerror}). Copy it again.")


def _within(utterance: Utterance, length: float) -> Utterance | None:
    """Return the utterance with its duration, cut at both ends of its recording; None if it does not lie within."""
    begin = max(utterance.offset, 0.0)
    end = length if utterance.duration is None else utterance.offset + utterance.duration
    if not begin < min(end, length) or end > length + OVERSHOOT or utterance.offset < -OVERSHOOT:
        return None
    if utterance.duration is not None and begin == utterance.offset and end <= length:
        return utterance
    return replace(utterance, offset=begin, duration=round(min(end, length) - begin, 4))
