"""CMU's census database AN4: etc/an4_{train,test}.{fileids,transcription} and the sound below wav/.

A file id: "an4_clstk/fash/an251-fash-b"; its line: "<s> YES </s> (an251-fash-b)", in the test set without <s>.
Acero 1993, "Acoustical and environmental robustness in automatic speech recognition"; as SPHERE files, or as WAV.
"""

import re
from pathlib import Path

from asr_s2s.data.corpora.shared import BROKEN_LINE, NO_AUDIO, NO_TEXT, Corpus, check_found, read_lines
from asr_s2s.manifest import Utterance

AUDIO_SUFFIXES = (".sph", ".wav", ".flac")
LINE = re.compile(r"(?:<s>)?(.*?)(?:</s>)?\s*\(([^()]+)\)")


def read_an4(source: Path) -> Corpus:
    """Read both parts; the speaker is the middle of an id, "fash" of "an251-fash-b"."""
    tables = [path for part in ("train", "test") if (path := source / f"etc/an4_{part}.transcription").is_file()]
    check_found(source, tables, "etc/an4_train.transcription")
    corpus = Corpus()
    for table in tables:
        _read_part(table, corpus, part=table.stem.removeprefix("an4_"))
    return corpus


def _read_part(table: Path, corpus: Corpus, *, part: str) -> None:
    places = {line.rpartition("/")[2]: line for _, line in read_lines(table.with_suffix(".fileids"), corpus)}
    told = set()
    for where, line in read_lines(table, corpus):
        found = LINE.fullmatch(line)
        if not found:
            corpus.leave_out(BROKEN_LINE, f"{where}: '{line}' does not end with an id in brackets. Correct it.")
            continue
        text, name = found[1].strip(), found[2]
        told.add(name)
        stem = table.parents[1] / "wav" / places.get(name, "")
        files = (stem.with_name(stem.name + suffix) for suffix in AUDIO_SUFFIXES)
        audio = next((path for path in files if path.is_file()), None)
        if name not in places:
            corpus.leave_out(BROKEN_LINE, f"{where}: '{name}' is not in {table.stem}.fileids. Add it.")
        elif audio is None:
            advice = f"{stem.name}{AUDIO_SUFFIXES[0]} is not in {stem.parent}. Add it (raw files: convert them to WAV)."
            corpus.leave_out(NO_AUDIO, f"{where}: {advice}")
        elif not text:
            corpus.leave_out(NO_TEXT, f"{where}: '{name}' has no text. Write it before the id.")
        else:
            speaker = name.split("-")[1] if name.count("-") > 1 else None
            corpus.add(Utterance(name, audio, text=text, speaker=speaker, language="en", origin=where), part=part)
    for name in sorted(set(places) - told):
        corpus.leave_out(NO_TEXT, f"{table}: has no line for '{name}'. Add it.")
