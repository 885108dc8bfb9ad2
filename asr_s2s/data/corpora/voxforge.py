"""VoxForge: a folder for each submission, SPEAKER-DATE-CODE/, with etc/PROMPTS and wav/ or flac/.

A line of PROMPTS: "Aaron-20080318-kdl/mfc/b0019 HE WAS A BOLD MAN"; of prompts-original, where there are no PROMPTS:
"b0019 He was a bold man." (voxforge.org). What "anonymous" submits is by a different speaker each time.
"""

from pathlib import Path

from asr_s2s.data.corpora.shared import NO_AUDIO, NO_TEXT, UNREADABLE, Corpus, check_found, read_lines
from asr_s2s.manifest import Utterance

PROMPTS = ("etc/PROMPTS", "etc/prompts-original")
FOLDERS = ("wav", "flac")


def read_voxforge(source: Path) -> Corpus:
    """Read every submission at any depth; an id is "SUBMISSION/PROMPT"."""
    submissions = sorted({path.parents[1] for name in PROMPTS for path in source.rglob(name)})
    check_found(source, submissions, " or ".join(PROMPTS))
    corpus = Corpus()
    for folder in submissions:
        _read_submission(folder, corpus)
    return corpus


def _read_submission(folder: Path, corpus: Corpus) -> None:
    prompts = next(path for name in PROMPTS if (path := folder / name).is_file())
    audio = {path.stem: path for name in FOLDERS for path in sorted((folder / name).glob(f"*.{name}"))}
    if not audio:
        corpus.leave_out(UNREADABLE, f"{folder}: holds no wav/*.wav or flac/*.flac. Unpack it again.")
        return
    submitter = folder.name.partition("-")[0]
    speaker = folder.name if submitter == "anonymous" else submitter
    for where, line in read_lines(prompts, corpus):
        place, _, text = line.partition(" ")
        name = place.rpartition("/")[2]
        if not text.strip():
            corpus.leave_out(NO_TEXT, f"{where}: '{name}' has no text. Write it after the name.")
        elif name not in audio:
            corpus.leave_out(NO_AUDIO, f"{where}: there is no sound file '{name}'. Add it, or remove the line.")
        else:
            item = Utterance(f"{folder.name}/{name}", audio[name], text=text.strip(), speaker=speaker, origin=where)
            corpus.add(item)
