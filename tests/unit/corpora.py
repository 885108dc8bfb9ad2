"""What the tests of corpora share: trees of real recordings, and how they are read."""

import shutil
from pathlib import Path

from asr_s2s.audio import read_audio, write_audio
from asr_s2s.data.corpora import measure, read_corpus
from asr_s2s.manifest import Utterance

DATA = Path(__file__).parents[1] / "data"
SPEECH = {name: DATA / f"{name}.ogg" for name in ("lbby5a", "prac8p", "swbc1s", "9_george_9")}


def read(name: str, source: Path, *, part: str | None = None) -> list[Utterance]:
    """Read a corpus, or a part of it, that has no faults."""
    corpus = measure(read_corpus(name, source), source=source).corpus
    assert corpus.left_out == []
    return list(corpus.parts[part].values()) if part else corpus.utterances


def faults_of(name: str, source: Path) -> list[str]:
    """Give what is left out of a corpus of which something remains."""
    return [item.message for item in measure(read_corpus(name, source), source=source).corpus.left_out]


def shown(utterance: Utterance) -> tuple[str, str, float, float | None, str | None, str | None]:
    duration = None if utterance.duration is None else round(utterance.duration, 3)
    audio = str(utterance.audio_path.resolve())
    return utterance.id, audio, utterance.offset, duration, utterance.text, utterance.speaker


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def copy(name: str, target: Path) -> Path:
    """Copy a recording; to another suffix by decoding it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.suffix == ".ogg":
        shutil.copy(SPEECH[name], target)
    else:
        write_audio(target, read_audio(SPEECH[name]), sample_rate=16_000)
    return target
