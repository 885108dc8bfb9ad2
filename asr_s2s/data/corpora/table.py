"""A table with a header, CSV or TSV: a column of audio paths, one of texts, and any others.

Commas or semicolons part the columns of a .csv file (RFC 4180, with quotes), tabs those of a .tsv or .txt file.
"""

import io
from pathlib import Path

from asr_s2s.data.corpora.shared import BROKEN_LINE, NO_AUDIO, Corpus
from asr_s2s.errors import ManifestError
from asr_s2s.inputs import folder_of, read_text
from asr_s2s.manifest import Utterance
from asr_s2s.tables import RowError, cells, delimiter_of, rows

AUDIO = ("audio_filepath", "audio", "path", "file", "filename", "file_name", "wav", "wav_filename")
TEXT = ("text", "sentence", "transcript", "transcription", "normalized_text")
SPEAKER = ("speaker", "speaker_id", "client_id", "spk")


def read_table(source: Path) -> Corpus:
    """Read a row an utterance; paths are as seen from the table's folder, other columns are kept.

    Raises ManifestError for a file that cannot be read, and for a header without the two columns.
    """
    content = read_text(source, error=ManifestError, advice="Name an existing table.")
    delimiter = delimiter_of(content.partition("\n")[0], suffix=source.suffix.lower())
    numbered = rows(io.BytesIO(content.encode()), delimiter)
    header = _header(source, next(numbered, (0, b""))[1].decode(), delimiter)
    audio, text = _column(source, header, AUDIO), _column(source, header, TEXT)
    speaker = next((name for name in SPEAKER if name in header), None)
    corpus, folder = Corpus(), folder_of(source)
    for number, raw in numbered:
        where = f"{source}:{number + 1}"
        try:
            fields = cells(raw.decode(), delimiter, width=len(header))
        except RowError as error:
            corpus.leave_out(BROKEN_LINE, f"{where}: {error}")
            continue
        if not fields:
            continue
        row = dict(zip(header, fields, strict=True))
        path = folder / row[audio]
        if not row[audio]:
            corpus.leave_out(BROKEN_LINE, f"{where}: has nothing in the column '{audio}'. Name the file.")
        elif not path.is_file():
            corpus.leave_out(NO_AUDIO, f"{where}: {path} is not there. Correct the column '{audio}'.")
        else:
            name = row.get("id") or row[audio].removesuffix(Path(row[audio]).suffix)
            extra = {key: value for key, value in row.items() if key not in {audio, text, speaker, "id"} and value}
            spoken_by = row[speaker] or None if speaker else None
            corpus.add(Utterance(name, path, text=row[text].strip(), speaker=spoken_by, extra=extra, origin=where))
    return corpus


def _header(source: Path, line: str, delimiter: str) -> list[str]:
    try:
        names = [name.strip() for name in cells(line, delimiter)]
    except RowError as error:
        raise ManifestError(f"{source}:1: {error}") from error
    if doubled := [name for name in names if name and names.count(name) > 1]:
        raise ManifestError(f"{source}: has several columns named '{doubled[0]}'. Give each a name of its own.")
    return names


def _column(source: Path, header: list[str], names: tuple[str, ...]) -> str:
    found = next((name for name in names if name in header), None)
    if found is None:
        has = ", ".join(header) or "nothing"
        raise ManifestError(f"{source}: its first line names {has}; none of {', '.join(names)}. Name the column so.")
    return found
