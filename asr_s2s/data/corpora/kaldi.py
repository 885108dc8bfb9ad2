"""Kaldi's data folder: wav.scp, text, utt2spk and, where recordings hold many utterances, segments.

wav.scp:  recording path        text:     utterance word word ...
utt2spk:  utterance speaker     segments: utterance recording start end (seconds, end -1 for the end)
Povey et al. 2011, "The Kaldi Speech Recognition Toolkit"; text and utt2spk may be left out.
"""

from collections.abc import Iterator, Set
from dataclasses import replace
from pathlib import Path

from asr_s2s.data.corpora.shared import (
    BROKEN_LINE,
    DOUBLED,
    NO_AUDIO,
    NO_PIECE,
    NO_TEXT,
    Corpus,
    check_found,
    read_lines,
)
from asr_s2s.manifest import Utterance


def read_kaldi(source: Path) -> Corpus:
    """Read a data folder; paths are as seen from it, from a folder above it (Kaldi's recipes), or the working folder.

    Commands in wav.scp are left out: what comes with data is not run.
    """
    check_found(source, source.glob("wav.scp"), "wav.scp")
    corpus = Corpus()
    recordings = _read_recordings(source, corpus)
    if (source / "segments").exists():
        segments = list(_read_segments(source / "segments", recordings, corpus))
        used = {line.split()[1] for _, line in read_lines(source / "segments", Corpus()) if len(line.split()) > 1}
        for name, (where, path) in recordings.items():
            if path and name not in used:
                corpus.leave_out(NO_TEXT, f"{where}: the recording '{name}' is in no line of segments. Add one.")
        known = {line.split(maxsplit=1)[0] for _, line in read_lines(source / "segments", Corpus())}
    else:
        segments = [Utterance(name, path, origin=where) for name, (where, path) in recordings.items() if path]
        known = set(recordings)
    texts = _read_table(source / "text", corpus, known=known)
    speakers = _read_table(source / "utt2spk", corpus, known=known)
    for item in segments:
        if (source / "text").exists() and item.id not in texts:
            corpus.leave_out(NO_TEXT, f"{item.origin}: '{item.id}' has no line in text. Add it.")
        else:
            corpus.add(replace(item, text=texts.get(item.id), speaker=speakers.get(item.id) or None))
    return corpus


def _read_recordings(source: Path, corpus: Corpus) -> dict[str, tuple[str, Path | None]]:
    """Return where each recording is named, and its file; None where the line is at fault."""
    folders = (source, *source.absolute().parents, Path())
    recordings: dict[str, tuple[str, Path | None]] = {}
    for where, line in read_lines(source / "wav.scp", corpus):
        name, *rest = line.split(maxsplit=1)
        if name in recordings:
            corpus.leave_out(
                DOUBLED, f"{where}: the recording '{name}' stands on {recordings[name][0]} too. Remove one."
            )
            continue
        written = rest[0] if rest else ""
        path = next((folder / written for folder in folders if written and (folder / written).is_file()), None)
        recordings[name] = (where, path)
        if not written:
            corpus.leave_out(BROKEN_LINE, f"{where}: '{name}' has no path. Write it after the name.")
        elif written.endswith("|"):
            advice = "commands that come with data are not run. Run it yourself and write the path of what it made."
            corpus.leave_out(NO_AUDIO, f"{where}: '{written}' is a command, and {advice}")
        elif path is None:
            advice = "is not there, seen from any folder above or here. Correct the path."
            corpus.leave_out(NO_AUDIO, f"{where}: {written} {advice}")
    return recordings


def _read_segments(path: Path, recordings: dict[str, tuple[str, Path | None]], corpus: Corpus) -> Iterator[Utterance]:
    """Return the pieces of recordings; whether a piece lies within its recording shows when that is opened."""
    for where, line in read_lines(path, corpus):
        try:
            name, recording, *times = line.split()
            start, end = map(float, times)
        except ValueError:
            form = "is not 'utterance recording start end' with times in seconds."
            corpus.leave_out(BROKEN_LINE, f"{where}: '{line}' {form}")
            continue
        if recording not in recordings:
            advice = f"the recording '{recording}' is not in wav.scp. Add it, or remove the line."
            corpus.leave_out(NO_AUDIO, f"{where}: {advice}")
        elif start < 0 or (end != -1 and end <= start):
            corpus.leave_out(NO_PIECE, f"{where}: '{name}' goes from {start} s to {end} s. Correct the times.")
        elif audio_path := recordings[recording][1]:
            duration = None if end == -1 else round(end - start, 4)
            yield Utterance(name, audio_path, offset=start, duration=duration, origin=where)


def _read_table(path: Path, corpus: Corpus, *, known: Set[str]) -> dict[str, str]:
    """Read lines of "utterance value"; a file that is not there is an empty table."""
    table: dict[str, str] = {}
    for where, line in read_lines(path, corpus) if path.exists() else ():
        name, *rest = line.split(maxsplit=1)
        if name not in known:
            advice = f"there is no utterance '{name}'. Remove the line, or add the utterance."
            corpus.leave_out(NO_AUDIO, f"{where}: {advice}")
        elif name in table:
            advice = f"the utterance '{name}' has an earlier line. Remove one of them."
            corpus.leave_out(DOUBLED, f"{where}: {advice}")
        else:
            table[name] = rest[0] if rest else ""
    return table
