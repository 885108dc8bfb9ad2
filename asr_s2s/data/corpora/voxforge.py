"""VoxForge: a folder for each submission, SPEAKER-DATE-CODE/, with etc/PROMPTS and wav/ or flac/.

A line of PROMPTS: "Aaron-20080318-kdl/mfc/b0019 HE WAS A BOLD MAN"; of prompts-original, where there are no PROMPTS:
"b0019 He was a bold man." (voxforge.org). What "anonymous" submits is by a different speaker each time.
"""

from pathlib import Path

from asr_s2s.data.corpora.shared import NO_AUDIO, NO_TEXT, UNREADABLE, Corpus, check_found, found_files, read_lines
from asr_s2s.manifest import Utterance

PROMPTS = ("etc/PROMPTS", "etc/prompts-original")
FOLDERS = ("wav", "flac")


def read_voxforge(source: Path) -> Corpus:
    """Read every submission at any depth; an id is "SUBMISSION/PROMPT"."""
    corpus = Corpus()
    files = found_files(source, corpus)
    submissions = sorted({path.parents[1] for path in files if path.as_posix().endswith(PROMPTS)})
    check_found(source, submissions, " or ".join(PROMPTS))
    for folder in submissions:
        _read_submission(folder, corpus)
    sound = (path for path in files if path.suffix == f".{path.parent.name}" and path.parent.name in FOLDERS)
    lonely = (path for path in sound if path.parents[1] not in submissions)
    corpus.leave_out_untold(lonely, (), where=f"{' or '.join(PROMPTS)} of its submission")
    return corpus


def _read_submission(folder: Path, corpus: Corpus) -> None:
    prompts = next(path for name in PROMPTS if (path := folder / name).is_file())
    audio = {path.stem: path for name in FOLDERS for path in sorted((folder / name).glob(f"*.{name}"))}
    if not audio:
        corpus.leave_out(UNREADABLE, f"{folder}: holds no wav/*.wav or flac/*.flac. Unpack it again.")
        return
    submitter = folder.name.partition("-")[0]
    speaker = folder.name if submitter == "anonymous" else submitter
    told = set()
    for where, line in read_lines(prompts, corpus):
        place, _, text = line.partition(" ")
        name = place.rpartition("/")[2]
        told.add(audio.get(name, folder))
        if not text.strip():
            corpus.leave_out(NO_TEXT, f"{where}: '{name}' has no text. Write it after the name.")
        elif name not in audio:
            corpus.leave_out(NO_AUDIO, f"{where}: there is no sound file '{name}'. Add it, or remove the line.")
        else:
            item = Utterance(f"{folder.name}/{name}", audio[name], text=text.strip(), speaker=speaker, origin=where)
            corpus.add(item)
    corpus.leave_out_untold(audio.values(), told, where=f"{prompts.parent.name}/{prompts.name}")
