"""TED-LIUM 3: talks in NIST SPHERE and their segments in STM, legacy/{train,dev,test}/{sph,stm}.

A line of an .stm file: "911Mothers_2010W 1 911Mothers_2010W 14.87 16.00 <o,f0,female> when we 're young".
Hernandez et al. 2018, "TED-LIUM 3: twice as much data and corpus repartition". A talk is one speaker.
"""

import re
from pathlib import Path

from asr_s2s.data.corpora.shared import BROKEN_LINE, NO_AUDIO, NO_PIECE, NO_TEXT, Corpus, check_found, read_lines
from asr_s2s.manifest import Utterance

PARTS = ("train", "dev", "test")
NOT_SCORED = "ignore_time_segment_in_scoring"  # applause, other speakers: not transcribed
MARKS = re.compile(r"<unk>|\{[^}]*\}|\(\d+\)")  # a word not understood, a noise, the variant of a pronunciation
LONELY = re.compile(r"\s+(?='(?:s|re|ll|ve|m|d|t)\b)|(?<=\w)\s+(?=n't\b)")  # "we 're", as the corpus splits its words


def read_tedlium(source: Path) -> Corpus:
    """Read the parts of the folder that holds legacy/, or of legacy itself; noises and <unk> are taken out of texts."""
    root = source / "legacy" if (source / "legacy").is_dir() else source
    tables = [path for part in PARTS for path in sorted((root / part / "stm").glob("*.stm"))]
    check_found(source, tables, "legacy/{train,dev,test}/stm/*.stm")
    corpus = Corpus()
    for table in tables:
        _read_talk(table, corpus, part=table.parents[1].name)
    talks = [path for part in PARTS for path in (root / part / "sph").glob("*.sph")]
    told = {table.parents[1] / "sph" / f"{table.stem}.sph" for table in tables}
    corpus.leave_out_untold(talks, told, where="any table of ../stm")
    return corpus


def _read_talk(table: Path, corpus: Corpus, *, part: str) -> None:
    audio = table.parents[1] / "sph" / f"{table.stem}.sph"
    if not audio.is_file():
        corpus.leave_out(NO_AUDIO, f"{table}: {audio.name} is not in {audio.parent}. Add it, or remove the table.")
        return
    for number, (where, line) in enumerate(read_lines(table, corpus)):
        try:
            talk, _, speaker, *times, _, text = line.split(maxsplit=6)
            start, end = map(float, times)
        except ValueError:
            if len(line.split()) == 6:
                corpus.leave_out(NO_TEXT, f"{where}: has no text. Remove the line.")
            else:
                corpus.leave_out(BROKEN_LINE, f"{where}: is not 'talk channel speaker start end <label> text'.")
            continue
        if text.lower() == NOT_SCORED:
            continue
        text = " ".join(LONELY.sub("", MARKS.sub(" ", text)).split())
        if not text:
            corpus.leave_out(NO_TEXT, f"{where}: holds no word, only marks. Nothing to correct.")
        elif not 0 <= start < end:
            corpus.leave_out(NO_PIECE, f"{where}: goes from {start} s to {end} s. Correct the times.")
        else:
            corpus.add(
                Utterance(
                    id=f"{talk}-{number}",
                    audio_path=audio,
                    text=text,
                    offset=start,
                    duration=round(end - start, 4),
                    speaker=speaker,
                    language="en",
                    origin=where,
                ),
                part=part,
            )
