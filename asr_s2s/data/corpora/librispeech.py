"""LibriSpeech's tree: SUBSET/SPEAKER/CHAPTER/SPEAKER-CHAPTER.trans.txt with the audio beside it.

A line of a .trans.txt file: "1272-128104-0000 MISTER QUILTER IS THE APOSTLE OF THE MIDDLE CLASSES".
Panayotov et al. 2015, "LibriSpeech: an ASR corpus based on public domain audio books"; MLS and LibriTTS differ.
"""

from pathlib import Path

from asr_s2s.data.corpora.shared import check_folder, read_lines, refuse, refuse_doubled, with_durations
from asr_s2s.errors import ManifestError
from asr_s2s.manifest import Utterance

AUDIO_SUFFIXES = (".flac", ".wav", ".ogg", ".opus", ".mp3")  # FLAC as published, the others of copies


def read_librispeech(source: Path) -> list[Utterance]:
    """Read every utterance of the subsets below the folder; the speaker is the first part of the id.

    Raises ManifestError that lists lines without text or audio, audio without a line, and doubled ids.
    """
    check_folder(source)
    transcripts = sorted(source.rglob("*.trans.txt"))
    if not transcripts:
        raise ManifestError(f"{source}: holds no .trans.txt file. Name the folder that LibriSpeech was unpacked into.")
    faults: list[str] = []
    utterances = [item for transcript in transcripts for item in _read_chapter(transcript, faults)]
    refuse_doubled(utterances, faults)
    utterances = with_durations(utterances, faults)
    refuse(source, faults)
    return utterances


def _read_chapter(transcript: Path, faults: list[str]) -> list[Utterance]:
    audio = {path.stem: path for path in sorted(transcript.parent.iterdir()) if path.suffix in AUDIO_SUFFIXES}
    utterances = []
    named = set()
    for where, line in read_lines(transcript):
        name, _, text = line.partition(" ")
        named.add(name)
        if not text:
            faults.append(f"{where}: '{name}' has no text. Write it after the id.")
        elif name not in audio:
            faults.append(f"{where}: {name}.flac is not in {transcript.parent}. Add it, or remove the line.")
        else:
            speaker = name.partition("-")[0]
            utterances.append(Utterance(name, audio[name], text=text.strip(), speaker=speaker, origin=where))
    untold = sorted(set(audio) - named)
    faults += [f"{audio[name]}: has no line in {transcript.name}. Add it, or remove the file." for name in untold]
    return utterances
