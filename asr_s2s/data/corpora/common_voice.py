"""Mozilla Common Voice, one language: train.tsv, dev.tsv, test.tsv and others beside a folder clips/ of MP3 files.

The first line of a table names its columns: client_id, path, sentence, age, gender, accents, locale ...
Ardila et al. 2020, "Common Voice: a massively-multilingual speech corpus". `validated` holds the three official parts
and more; `other` has not been listened to; `invalidated` was voted down and is not read.
"""

from pathlib import Path

from asr_s2s.data.corpora.shared import BROKEN_LINE, NO_AUDIO, NO_TEXT, Corpus, check_found, read_lines
from asr_s2s.manifest import Utterance

PARTS = ("train", "dev", "test", "validated", "other")
CARRIED = ("age", "gender", "accents", "variant")


def read_common_voice(source: Path) -> Corpus:
    """Read the tables of one language; the speaker is the client_id."""
    tables = [path for part in PARTS if (path := source / f"{part}.tsv").is_file()]
    check_found(source, tables, f"table of clips ({', '.join(f'{part}.tsv' for part in PARTS)}) of one language")
    corpus = Corpus()
    for table in tables:
        _read_table(table, corpus)
    return corpus


def _read_table(table: Path, corpus: Corpus) -> None:
    lines = read_lines(table, corpus, stripped=" \r")  # not tabs: empty columns at the end are columns
    columns = next(lines, ("", ""))[1].split("\t")
    for where, line in lines:
        fields = line.split("\t")  # quotes are not special: sentences begin with them
        row = dict(zip(columns, fields, strict=False))
        name, text = row.get("path", ""), row.get("sentence", "").strip()
        audio = table.parent / "clips" / name
        if not name or len(fields) != len(columns):
            has = f"{where}: has {len(fields)} columns of {len(columns)}"
            corpus.leave_out(BROKEN_LINE, f"{has}. Take tabs out of its sentence, or unpack the table again.")
        elif not text:
            corpus.leave_out(NO_TEXT, f"{where}: '{name}' has no sentence. Remove the line.")
        elif not audio.is_file():
            corpus.leave_out(NO_AUDIO, f"{where}: {name} is not in {audio.parent}. Add it, or remove the line.")
        else:
            corpus.add(
                Utterance(
                    id=audio.stem,
                    audio_path=audio,
                    text=text,
                    speaker=row.get("client_id") or None,
                    language=row.get("locale") or None,
                    extra={key: row[key] for key in CARRIED if row.get(key)},
                    origin=where,
                ),
                part=table.stem,
            )
