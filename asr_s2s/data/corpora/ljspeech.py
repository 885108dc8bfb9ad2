"""LJ Speech: metadata.csv and wavs/.

A line of metadata.csv: "LJ001-0007|the text as printed, in 1455|the text as said, in fourteen fifty-five".
Ito & Johnson 2017, "The LJ Speech dataset": one US woman.
"""

from pathlib import Path

from asr_s2s.data.corpora.shared import BROKEN_LINE, NO_AUDIO, NO_TEXT, Corpus, check_found, read_lines
from asr_s2s.manifest import Utterance

COLUMNS = (2, 3)  # with the text as said alone, or beside the text as printed


def read_ljspeech(source: Path) -> Corpus:
    """Read the text as said; `printed` keeps the other where it differs."""
    table = source / "metadata.csv"
    check_found(source, source.glob(table.name), table.name)
    corpus = Corpus()
    told = set()
    usual = 0  # columns
    for where, line in read_lines(table, corpus):
        fields = line.split("|")  # quotes are not special
        audio = source / "wavs" / f"{fields[0]}.wav"
        told.add(audio)
        usual = usual or (len(fields) if len(fields) in COLUMNS else 0)
        if len(fields) != usual:
            wanted = f"{usual} as the lines before" if usual else "'id|printed|said'"
            corpus.leave_out(BROKEN_LINE, f"{where}: has {len(fields)} columns, not {wanted}. Correct it.")
            continue
        printed, said = fields[1].strip(), fields[-1].strip()
        if not said:
            corpus.leave_out(NO_TEXT, f"{where}: '{fields[0]}' has no text as said. Write it behind the last bar.")
        elif not audio.is_file():
            corpus.leave_out(NO_AUDIO, f"{where}: {audio.name} is not in {audio.parent}. Add it, or remove the line.")
        else:
            extra = {} if printed == said else {"printed": printed}
            item = Utterance(fields[0], audio, text=said, speaker="LJ", language="en", extra=extra, origin=where)
            corpus.add(item)
    corpus.leave_out_untold((source / "wavs").glob("*.wav"), told, where=table.name)
    return corpus
