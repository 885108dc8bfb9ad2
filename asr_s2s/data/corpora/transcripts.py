"""Corrected transcripts: x.wav beside x.TextGrid, x.srt, x.vtt or x.json, at any depth; a segment is an utterance."""

from pathlib import Path

from asr_s2s.data.corpora.shared import (
    BROKEN_LINE,
    DIFFERING,
    NO_AUDIO,
    NO_PIECE,
    NO_TEXT,
    UNREADABLE,
    Corpus,
    audio_by_stem,
    found_files,
)
from asr_s2s.errors import ManifestError
from asr_s2s.inputs import read_text
from asr_s2s.manifest import Utterance
from asr_s2s.transcripts import FORMATS, Transcript, TranscriptError

SUFFIXES = {".textgrid": "textgrid", ".srt": "srt", ".vtt": "vtt", ".json": "json"}


def read_transcripts(source: Path) -> Corpus:
    """Read the segments of every recording; an id is the path below the folder, and where the segment begins in ms.

    A recording with two transcripts that differ is left out: only a person knows which one was corrected.
    """
    corpus = Corpus()
    files = found_files(source, corpus)
    written: dict[Path, list[Path]] = {}
    for path in files:
        if path.suffix.lower() in SUFFIXES:
            written.setdefault(path.with_suffix(""), []).append(path)
    recorded: set[Path] = set()
    for stem, path in audio_by_stem(source, files, corpus):
        recorded.add(stem)
        if stem not in written:
            known = ", ".join(stem.name + suffix for suffix in SUFFIXES)
            corpus.leave_out(NO_TEXT, f"{path}: no transcript is beside it ({known}). Add one.")
        else:
            _add(path, written[stem], corpus, name=stem.relative_to(source).as_posix())
    for stem in sorted(set(written) - recorded):
        corpus.leave_out(NO_AUDIO, f"{written[stem][0]}: no audio file of this name is beside it. Add it.")
    return corpus


def _add(audio: Path, paths: list[Path], corpus: Corpus, *, name: str) -> None:
    """Add the segments of a recording that hold text."""
    try:
        found = [_read(path) for path in paths]
    except ManifestError as error:
        corpus.leave_out(UNREADABLE, str(error))
        return
    except TranscriptError as error:
        corpus.leave_out(BROKEN_LINE, str(error))
        return
    for path, other in zip(paths[1:], found[1:], strict=True):
        if other.text.split() != found[0].text.split():
            corpus.leave_out(
                DIFFERING, f"{path}: its text is another than that of {paths[0].name}. Keep the right one."
            )
            return
    if not found[0].text:
        corpus.leave_out(NO_TEXT, f"{paths[0]}: holds no text. Write what is said, or remove the recording.")
    for segment in found[0].segments:
        where = f"{paths[0]}, {segment.start:.2f} s"
        if segment.end <= segment.start:
            corpus.leave_out(NO_PIECE, f"{where}: ends at {segment.end:.2f} s. Correct the times.")
        elif text := " ".join(segment.text.split()):
            corpus.add(
                Utterance(
                    id=f"{name}@{round(segment.start * 1000)}",
                    audio_path=audio,
                    text=text,
                    offset=segment.start,
                    duration=round(segment.end - segment.start, 4),
                    language=found[0].language,
                    origin=where,
                )
            )


def _read(path: Path) -> Transcript:
    """Read a transcript. Raises ManifestError for a file that cannot be read, TranscriptError for a broken one."""
    content = read_text(path, error=ManifestError, advice="Check its permissions.")
    return FORMATS[SUFFIXES[path.suffix.lower()]].read(content, origin=str(path))
