"""A table with a header, CSV or TSV: a column of audio paths, one of texts, and any others.

Commas or semicolons part the columns of a .csv file (RFC 4180, with quotes), tabs those of a .tsv or .txt file.
"""

import csv
import io
from pathlib import Path
from typing import Any

from asr_s2s.data.corpora.shared import BROKEN_LINE, NO_AUDIO, Corpus
from asr_s2s.errors import ManifestError
from asr_s2s.files import read_bytes
from asr_s2s.manifest import Utterance

AUDIO = ("audio_filepath", "audio", "path", "file", "filename", "file_name", "wav", "wav_filename")
TEXT = ("text", "sentence", "transcript", "transcription", "normalized_text")
SPEAKER = ("speaker", "speaker_id", "client_id", "spk")


def read_table(source: Path) -> Corpus:
    """Read a row an utterance; paths are as seen from the table's folder, other columns are kept.

    Raises ManifestError for a file that cannot be read, and for a header without the two columns.
    """
    try:
        content = read_bytes(source).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{source}: cannot be read ({error}). Name a table saved as UTF-8.") from error
    rows = _rows(source, content)
    header = [name.strip() for name in next(rows, [])]
    audio, text = _column(source, header, AUDIO), _column(source, header, TEXT)
    speaker = next((name for name in SPEAKER if name in header), None)
    corpus = Corpus()
    for fields in rows:
        where = f"{source}:{rows.line_num}"
        row = dict(zip(header, fields, strict=False))
        if not fields:
            continue
        path = source.parent / row[audio]
        if len(fields) != len(header) or not row[audio]:
            advice = "Mend it, or put quotes around a text that holds the separator."
            corpus.leave_out(BROKEN_LINE, f"{where}: has {len(fields)} columns, the header {len(header)}. {advice}")
        elif not path.is_file():
            corpus.leave_out(NO_AUDIO, f"{where}: {path} is not there. Mend '{audio}'.")
        else:
            name = row.get("id") or row[audio].removesuffix(Path(row[audio]).suffix)
            extra = {key: value for key, value in row.items() if key not in {audio, text, speaker, "id"} and value}
            spoken_by = row[speaker] or None if speaker else None
            corpus.add(Utterance(name, path, text=row[text].strip(), speaker=spoken_by, extra=extra, origin=where))
    return corpus


def _rows(source: Path, content: str) -> Any:  # typeshed hides the class of csv's readers
    header, lines = content.partition("\n")[0], io.StringIO(content, newline="")
    if source.suffix.lower() == ".csv":
        return csv.reader(lines, delimiter=";" if header.count(";") > header.count(",") else ",")
    return csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)


def _column(source: Path, header: list[str], names: tuple[str, ...]) -> str:
    found = next((name for name in names if name in header), None)
    if found is None:
        has = ", ".join(header) or "nothing"
        raise ManifestError(f"{source}: its first line names {has}; none of {', '.join(names)}. Name the column so.")
    return found
