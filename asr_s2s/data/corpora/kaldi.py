"""Kaldi's data folder: wav.scp, text, utt2spk and, where recordings hold many utterances, segments.

wav.scp:  recording path        text:     utterance word word ...
utt2spk:  utterance speaker     segments: utterance recording start end (seconds, end -1 for the end)
Povey et al. 2011, "The Kaldi Speech Recognition Toolkit"; text and utt2spk may be left out.
"""

from collections.abc import Set
from dataclasses import dataclass, replace
from pathlib import Path

from asr_s2s.data.corpora.shared import check_folder, read_lines, refuse, with_durations
from asr_s2s.manifest import Utterance

OVERSHOOT = 0.5  # seconds that a segment may end behind its recording; Kaldi's extract-segments allows as much


@dataclass(frozen=True)
class _Recording:
    path: Path | None  # None where the line is at fault
    origin: str


def read_kaldi(source: Path) -> list[Utterance]:
    """Read a data folder; paths are as seen from it, from a folder above it (Kaldi's recipes), or the working folder.

    Commands in wav.scp are refused: what comes with data is not run.
    Raises ManifestError that lists every broken line of every file.
    """
    check_folder(source)
    faults: list[str] = []
    recordings = _read_recordings(source, faults)
    if (source / "segments").exists():
        utterances = _read_segments(source / "segments", recordings, faults)
        known = {line.split(maxsplit=1)[0] for _, line in read_lines(source / "segments")}
    else:
        utterances = [Utterance(name, item.path, origin=item.origin) for name, item in recordings.items() if item.path]
        known = set(recordings)
    texts = _read_table(source / "text", faults, known=known)
    speakers = _read_table(source / "utt2spk", faults, known=known)
    if (source / "text").exists():
        faults += [
            f"{item.origin}: '{item.id}' has no line in text. Add it." for item in utterances if item.id not in texts
        ]
    utterances = with_durations(utterances, faults)
    refuse(source, faults)
    return [replace(item, text=texts.get(item.id), speaker=speakers.get(item.id) or None) for item in utterances]


def _read_recordings(source: Path, faults: list[str]) -> dict[str, _Recording]:
    folders = (source, *source.absolute().parents, Path())
    recordings: dict[str, _Recording] = {}
    for where, line in read_lines(source / "wav.scp"):
        name, *rest = line.split(maxsplit=1)
        if name in recordings:
            faults.append(f"{where}: the recording '{name}' stands on {recordings[name].origin} too. Remove one.")
            continue
        written = rest[0] if rest else ""
        path = next((folder / written for folder in folders if written and (folder / written).is_file()), None)
        recordings[name] = _Recording(path, where)
        if not written:
            faults.append(f"{where}: '{name}' has no path. Write it after the name.")
        elif written.endswith("|"):
            faults.append(
                f"{where}: '{written}' is a command, and commands that come with data are not run. "
                "Run it yourself and write the path of what it made."
            )
        elif path is None:
            faults.append(f"{where}: {written} is not there, seen from any folder above or here. Mend the path.")
    return recordings


def _read_segments(path: Path, recordings: dict[str, _Recording], faults: list[str]) -> list[Utterance]:
    lengths = _lengths(recordings, faults)
    utterances: dict[str, Utterance] = {}
    for where, line in read_lines(path):
        try:
            name, recording, *times = line.split()
            start, end = map(float, times)
        except ValueError:
            faults.append(f"{where}: '{line}' is not 'utterance recording start end' with times in seconds.")
            continue
        if recording not in recordings:
            faults.append(f"{where}: the recording '{recording}' is not in wav.scp. Add it, or remove the line.")
        elif name in utterances:
            faults.append(f"{where}: the utterance '{name}' stands on {utterances[name].origin} too. Remove one.")
        elif (audio_path := recordings[recording].path) and recording in lengths:
            length = lengths[recording]
            end = length if end == -1 else end
            if 0 <= start < min(end, length) and end <= length + OVERSHOOT:
                duration = round(min(end, length) - start, 4)
                utterances[name] = Utterance(name, audio_path, offset=start, duration=duration, origin=where)
            else:
                faults.append(
                    f"{where}: '{name}' goes from {start} s to {end} s, its recording to {length:.2f} s. Mend it."
                )
    return list(utterances.values())


def _lengths(recordings: dict[str, _Recording], faults: list[str]) -> dict[str, float]:
    """Give the length of each recording that can be opened."""
    whole = [Utterance(name, item.path, origin=item.origin) for name, item in recordings.items() if item.path]
    return {item.id: item.duration for item in with_durations(whole, faults) if item.duration is not None}


def _read_table(path: Path, faults: list[str], *, known: Set[str]) -> dict[str, str]:
    """Read lines of "utterance value"; a file that is not there is an empty table."""
    table: dict[str, str] = {}
    for where, line in read_lines(path) if path.exists() else ():
        name, *rest = line.split(maxsplit=1)
        if name not in known:
            faults.append(f"{where}: there is no utterance '{name}'. Remove the line, or add the utterance.")
        elif name in table:
            faults.append(f"{where}: the utterance '{name}' has an earlier line. Remove one of them.")
        table[name] = rest[0] if rest else ""
    return table
