"""LJ Speech: metadata.csv and wavs/.

A line of metadata.csv: "LJ001-0007|the text as printed, in 1455|the text as said, in fourteen fifty-five".
Ito & Johnson 2017, "The LJ Speech dataset": one US woman.
"""

from pathlib import Path

from asr_s2s.data.corpora.shared import BROKEN_LINE, NO_AUDIO, NO_TEXT, Corpus, check_found, read_lines
from asr_s2s.manifest import Utterance


def read_ljspeech(source: Path) -> Corpus:
    """Read the text as said; `printed` keeps the other where it differs."""
    table = source / "metadata.csv"
    check_found(source, source.glob(table.name), table.name)
    corpus = Corpus()
    for where, line in read_lines(table, corpus):
        fields = line.split("|")  # quotes are not special
        audio = source / "wavs" / f"{fields[0]}.wav"
        if len(fields) not in (2, 3):
            corpus.leave_out(BROKEN_LINE, f"{where}: has {len(fields)} columns, not 'id|printed|said'. Mend it.")
            continue
        printed, said = fields[1].strip(), fields[-1].strip()
        if not said:
            corpus.leave_out(NO_TEXT, f"{where}: '{fields[0]}' has no text as said. Write it behind the last bar.")
        elif not audio.is_file():
            corpus.leave_out(NO_AUDIO, f"{where}: {audio.name} is not in {audio.parent}. Add it, or remove the line.")
        else:
            extra = {} if printed == said else {"printed": printed}
            told = Utterance(fields[0], audio, text=said, speaker="LJ", language="en", extra=extra, origin=where)
            corpus.add(told)
    return corpus
