"""What every reader needs: a corpus that grows entry by entry, and keeps what it had to leave out and why."""

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from asr_s2s.audio import AUDIO_SUFFIXES
from asr_s2s.errors import ManifestError
from asr_s2s.inputs import read_bytes
from asr_s2s.manifest import Utterance

# Why an entry is left out, as the summary counts it.
NO_AUDIO = "no audio file"
NO_TEXT = "no text"
BROKEN_LINE = "broken line"
DOUBLED = "doubled id"
DIFFERING = "transcripts that differ"
UNREADABLE = "unreadable file"
NO_PIECE = "not within its recording"

NUM_SHOWN = 20  # a terminal's screen
WHOLE = "all"  # the one part of a corpus that its publisher did not divide


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An entry that cannot be used: the cause that it is counted under, and where, what and how to mend it."""

    cause: str
    message: str


def first_messages(left_out: Sequence[LeftOut]) -> list[str]:
    """Return what fits on a screen of the messages, and how many there are beyond."""
    rest = [f"and {len(left_out) - NUM_SHOWN} more"] if len(left_out) > NUM_SHOWN else []
    return [*(item.message for item in left_out[:NUM_SHOWN]), *rest]


@dataclass
class Corpus:
    """What a reader finds: the utterances of each part by their ids, and what it leaves out; good entries stay."""

    parts: dict[str, dict[str, Utterance]] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)

    def add(self, utterance: Utterance, *, part: str = WHOLE) -> None:
        """Take an utterance into a part; one whose id stands there already is left out."""
        first = self.parts.setdefault(part, {}).setdefault(utterance.id, utterance)
        if first is not utterance:
            where = f"{utterance.origin}: the id '{utterance.id}' stands on {first.origin} too."
            self.leave_out(DOUBLED, f"{where} Remove one of them.")

    def leave_out(self, cause: str, message: str) -> None:
        """Note an entry that cannot be used."""
        self.left_out.append(LeftOut(cause, message))

    def leave_out_untold(self, files: Iterable[Path], told: Collection[Path], *, where: str) -> None:
        """Note the sound files among these whose text stands nowhere."""
        for path in sorted(set(files) - set(told)):
            self.leave_out(NO_TEXT, f"{path}: has no line in {where}. Add it, or remove the file.")

    @property
    def utterances(self) -> list[Utterance]:
        """Every utterance of every part, in order."""
        return [utterance for part in self.parts.values() for utterance in part.values()]

    def chosen(self, names: Iterable[str], *, source: Path) -> "Corpus":
        """Return the corpus with these parts alone.

        Raises ManifestError for a part that it does not have.
        """
        missing = [name for name in names if name not in self.parts]
        if missing:
            raise ManifestError(f"{source}: has no part '{missing[0]}'. Its parts: {', '.join(self.parts)}.")
        return Corpus({name: self.parts[name] for name in dict.fromkeys(names)}, self.left_out)


def found_files(source: Path, corpus: Corpus) -> list[Path]:
    """List the files below a folder, also behind links, in order; what is hidden is passed over.

    A folder that cannot be read is left out as a whole.
    """
    files: list[Path] = []
    seen: set[tuple[int, int]] = set()

    def unreadable(error: OSError) -> None:
        corpus.leave_out(UNREADABLE, f"{error.filename}: cannot be read ({error.strerror}). Check its permissions.")

    for place, folders, names in os.walk(source, followlinks=True, onerror=unreadable):
        status = Path(place).stat()
        if (status.st_dev, status.st_ino) in seen:  # a link to a folder that was read, maybe to one above
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(
            (name for name in folders if not name.startswith(".")),
            key=lambda name: (Path(place, name).is_symlink(), name),
        )
        files += (path for name in names if not name.startswith(".") and (path := Path(place, name)).is_file())
    return sorted(files)


def read_lines(path: Path, corpus: Corpus, *, stripped: str | None = None) -> Iterator[tuple[str, str]]:
    """Return ("path:number", line) for each line that is not blank, without the white space around it.

    stripped: the characters that are taken off instead of white space
    A file that cannot be read, or is not UTF-8, is left out as a whole.
    """
    try:
        lines = read_bytes(path).decode("utf-8-sig").replace("\r\n", "\n").split("\n")
    except OSError as error:
        corpus.leave_out(UNREADABLE, f"{path}: cannot be read ({error.strerror}). Name the corpus's own folder.")
        return
    except UnicodeDecodeError:
        corpus.leave_out(UNREADABLE, f"{path}: is not UTF-8 text. Save it as UTF-8.")
        return
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield f"{path}:{number}", line.strip(stripped)


def check_folder(source: Path) -> None:
    """Raise ManifestError if the source is no folder."""
    if not source.is_dir():
        what = "is a file" if source.exists() else "is not there"
        raise ManifestError(f"{source}: {what}. Name the corpus's own folder.")


def check_found(source: Path, found: Iterable[object], wanted: str) -> None:
    """Raise ManifestError if a folder holds nothing of what makes it the corpus."""
    check_folder(source)
    if not any(True for _ in found):
        raise ManifestError(f"{source}: holds no {wanted}. Name the folder that the corpus was unpacked into.")


def audio_by_stem(source: Path, files: Sequence[Path], corpus: Corpus) -> Iterator[tuple[Path, Path]]:
    """Yield each audio file among those of a folder with its path without ending, which names it once.

    Raises ManifestError where there is none.
    """
    audio = [path for path in files if path.suffix.lower() in AUDIO_SUFFIXES]
    check_found(source, audio, f"audio file ({' '.join(AUDIO_SUFFIXES)})")
    first: dict[Path, Path] = {}
    for path in audio:
        stem = path.with_suffix("")
        if first.setdefault(stem, path) == path:
            yield stem, path
        else:
            corpus.leave_out(DOUBLED, f"{path}: {first[stem].name} has the same name. Rename one of them.")
