"""A plain folder: x.wav beside x.txt, at any depth; the audio may be of any kind that the audio room reads."""

from pathlib import Path

from asr_s2s.audio import AUDIO_SUFFIXES
from asr_s2s.data.corpora.shared import check_folder, refuse, with_durations
from asr_s2s.errors import ManifestError
from asr_s2s.manifest import Utterance

NO_TRANSCRIPTS = frozenset({"readme", "license", "licence", "copying", "changelog", "notice"})


def read_folder(source: Path) -> list[Utterance]:
    """Read every audio file with its text; an id is the path below the folder without its ending.

    Raises ManifestError that lists audio without text, text without audio, two files of one name, and broken files.
    """
    check_folder(source)
    files = sorted(path for path in source.rglob("*") if path.is_file() and not path.name.startswith("."))
    audio = [path for path in files if path.suffix.lower() in AUDIO_SUFFIXES]
    texts = {path.with_suffix("") for path in files if path.suffix == ".txt"}
    if not audio:
        raise ManifestError(f"{source}: holds no audio file ({' '.join(AUDIO_SUFFIXES)}). Name another folder.")

    faults: list[str] = []
    first: dict[Path, Path] = {}
    utterances = []
    for path in audio:
        stem = path.with_suffix("")
        if first.setdefault(stem, path) != path:
            faults.append(f"{path}: {first[stem].name} has the same name. Rename one of them.")
        elif stem not in texts:
            faults.append(f"{path}: {stem.name}.txt is missing beside it. Write what is said into it.")
        elif (text := _read_text(stem.with_name(f"{stem.name}.txt"), faults)) is not None:
            name = stem.relative_to(source).as_posix()
            utterances.append(Utterance(id=name, audio_path=path, text=text, origin=str(path)))
    lonely = sorted(stem for stem in texts - set(first) if stem.name.lower() not in NO_TRANSCRIPTS)
    faults += [f"{stem}.txt: no audio file of this name is beside it. Add it, or remove the text." for stem in lonely]
    utterances = with_durations(utterances, faults)
    refuse(source, faults)
    return utterances


def _read_text(path: Path, faults: list[str]) -> str | None:
    try:
        return " ".join(path.read_text(encoding="utf-8-sig").split())
    except UnicodeDecodeError:
        faults.append(f"{path}: is not UTF-8 text. Save it as UTF-8.")
        return None
