"""A plain folder: x.wav beside x.txt, at any depth; the audio may be of any kind that the audio room reads."""

from pathlib import Path

from asr_s2s.data.corpora.shared import NO_AUDIO, NO_TEXT, Corpus, audio_by_stem, found_files, read_lines
from asr_s2s.data.corpora.transcripts import SUFFIXES
from asr_s2s.manifest import Utterance

NO_TRANSCRIPTS = frozenset({"readme", "license", "licence", "copying", "changelog", "notice"})


def read_folder(source: Path) -> Corpus:
    """Read every audio file with its text; an id is the path below the folder without its ending."""
    corpus = Corpus()
    files = found_files(source, corpus)
    texts = {path.with_suffix(""): path for path in files if path.suffix.lower() == ".txt"}
    transcribed = {path.with_suffix("") for path in files if path.suffix.lower() in SUFFIXES}
    recorded: set[Path] = set()
    for stem, path in audio_by_stem(source, files, corpus):
        recorded.add(stem)
        if stem not in texts:
            advice = "Write what is said into it."
            if stem in transcribed:
                advice = "Its captions, TextGrid or JSON are read by 'asr-s2s prepare transcripts'."
            corpus.leave_out(NO_TEXT, f"{path}: {stem.name}.txt is missing beside it. {advice}")
        else:
            _add(path, texts[stem], corpus, name=stem.relative_to(source).as_posix())
    for stem in sorted(set(texts) - recorded):
        if stem.name.lower() not in NO_TRANSCRIPTS:
            advice = "no audio file of this name is beside it. Add it, or remove the text."
            corpus.leave_out(NO_AUDIO, f"{texts[stem]}: {advice}")
    return corpus


def _add(audio_path: Path, text_path: Path, corpus: Corpus, *, name: str) -> None:
    """Add a file with its text, which may be empty where nobody speaks, unless the text cannot be read."""
    num_faults = len(corpus.left_out)
    text = " ".join(" ".join(line.split()) for _, line in read_lines(text_path, corpus))
    if len(corpus.left_out) == num_faults:
        corpus.add(Utterance(id=name, audio_path=audio_path, text=text, origin=str(audio_path)))
