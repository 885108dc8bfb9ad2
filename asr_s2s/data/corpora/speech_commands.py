"""Google's Speech Commands: WORD/SPEAKER_nohash_N.wav, with validation_list.txt and testing_list.txt.

Warden 2018, "Speech Commands: a dataset for limited-vocabulary speech recognition". What neither list names is
trained on. _background_noise_ holds no commands and is not read.
"""

from pathlib import Path

from asr_s2s.data.corpora.shared import BROKEN_LINE, NO_AUDIO, Corpus, check_found, read_lines
from asr_s2s.manifest import Utterance

LISTS = {"dev": "validation_list.txt", "test": "testing_list.txt"}


def read_speech_commands(source: Path) -> Corpus:
    """Read all commands as train, dev and test; an id is "WORD/SPEAKER_nohash_N"."""
    check_found(source, source.glob(LISTS["test"]), LISTS["test"])
    corpus = Corpus(parts={"train": {}, "dev": {}, "test": {}})
    files = {path.relative_to(source).as_posix(): path for path in sorted(source.glob("[!_.]*/*.wav"))}
    parts: dict[str, str] = {}
    for part, list_name in LISTS.items():
        for where, line in read_lines(source / list_name, corpus):
            parts[line] = part
            if line not in files:
                corpus.leave_out(NO_AUDIO, f"{where}: {line} is not there. Add it, or remove the line.")
    for place, path in files.items():
        speaker, nohash, _ = path.stem.partition("_nohash_")
        if not nohash:
            corpus.leave_out(BROKEN_LINE, f"{path}: is not named SPEAKER_nohash_N.wav. Rename it.")
            continue
        name = place.removesuffix(".wav")
        item = Utterance(name, path, text=path.parent.name, speaker=speaker, language="en", origin=str(path))
        corpus.add(item, part=parts.get(place, "train"))
    return corpus
