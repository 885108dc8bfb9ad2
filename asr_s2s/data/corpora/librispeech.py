"""LibriSpeech's tree: SUBSET/SPEAKER/CHAPTER/SPEAKER-CHAPTER.trans.txt with the audio beside it.

A line of a .trans.txt file: "1272-128104-0000 MISTER QUILTER IS THE APOSTLE OF THE MIDDLE CLASSES".
Panayotov et al. 2015, "LibriSpeech: an ASR corpus based on public domain audio books"; MLS and LibriTTS differ.
"""

from pathlib import Path

from asr_s2s.data.corpora.shared import NO_AUDIO, NO_TEXT, Corpus, check_found, found_files, read_lines
from asr_s2s.manifest import Utterance

AUDIO_SUFFIXES = (".flac", ".wav", ".ogg", ".opus", ".mp3")  # FLAC as published, the others of copies


def read_librispeech(source: Path) -> Corpus:
    """Read the subsets below the folder, or the one subset that it is; the speaker is the first part of the id."""
    corpus = Corpus()
    files = found_files(source.absolute(), corpus)
    transcripts = [path for path in files if path.name.endswith(".trans.txt")]
    check_found(source, transcripts, ".trans.txt file")
    for transcript in transcripts:
        _read_chapter(transcript, corpus, subset=transcript.parents[2].name)
    chapters = {transcript.parent for transcript in transcripts}
    lonely = (path for path in files if path.suffix.lower() in AUDIO_SUFFIXES and path.parent not in chapters)
    corpus.leave_out_untold(lonely, (), where="a .trans.txt file beside it")
    return corpus


def _read_chapter(transcript: Path, corpus: Corpus, *, subset: str) -> None:
    audio = {path.stem: path for path in sorted(transcript.parent.iterdir()) if path.suffix.lower() in AUDIO_SUFFIXES}
    named = set()
    for where, line in read_lines(transcript, corpus):
        name, _, text = line.partition(" ")
        named.add(name)
        if not text:
            corpus.leave_out(NO_TEXT, f"{where}: '{name}' has no text. Write it after the id.")
        elif name not in audio:
            advice = f"{name}.flac is not in {transcript.parent}. Add it, or remove the line."
            corpus.leave_out(NO_AUDIO, f"{where}: {advice}")
        else:
            speaker = name.partition("-")[0]
            corpus.add(Utterance(name, audio[name], text=text.strip(), speaker=speaker, origin=where), part=subset)
    corpus.leave_out_untold(audio.values(), {audio[name] for name in named & set(audio)}, where=transcript.name)
