"""What every reader needs: one report of all faults, texts by line, durations from the files' headers."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from asr_s2s.audio import audio_duration
from asr_s2s.errors import AudioError, ManifestError
from asr_s2s.manifest import Utterance

NUM_FAULTS_SHOWN = 20  # a terminal's screen
THREADS = 8  # waiting for a disk, not computing


def refuse(source: Path, faults: Sequence[str]) -> None:
    """Raise ManifestError with the count and the first faults, if there are any."""
    if faults:
        rest = len(faults) - NUM_FAULTS_SHOWN
        shown = [*faults[:NUM_FAULTS_SHOWN], *([f"and {rest} more"] if rest > 0 else [])]
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise ManifestError("\n".join([f"{source}: {count}. Mend them; nothing was read:", *shown]))


def read_lines(path: Path) -> Iterator[tuple[str, str]]:
    """Give ("path:number", line) for each line that is not blank, without the white space around it.

    Raises ManifestError if the file cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise ManifestError(f"{path}: cannot be read ({error.strerror}). Name the corpus's own folder.") from error
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path}: is not UTF-8 text. Save it as UTF-8.") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield f"{path}:{number}", line.strip()


def check_folder(source: Path) -> None:
    """Raise ManifestError if the source is no folder."""
    if not source.is_dir():
        what = "is a file" if source.exists() else "is not there"
        raise ManifestError(f"{source}: {what}. Name the corpus's own folder.")


def refuse_doubled(utterances: Sequence[Utterance], faults: list[str]) -> None:
    """Add every utterance whose id an earlier one has to the faults."""
    first: dict[str, str] = {}
    for item in utterances:
        if item.id in first:
            faults.append(f"{item.origin}: the id '{item.id}' stands on {first[item.id]} too. Remove one of them.")
        first.setdefault(item.id, item.origin)


def with_durations(utterances: Sequence[Utterance], faults: list[str]) -> list[Utterance]:
    """Fill in the durations that are not known; what cannot be opened is added to the faults."""
    with ThreadPoolExecutor(THREADS) as pool:
        timed = list(pool.map(_with_duration, utterances))
    faults.extend(item for item in timed if isinstance(item, str))
    return [item for item in timed if isinstance(item, Utterance)]


def _with_duration(utterance: Utterance) -> Utterance | str:
    if utterance.duration is not None and utterance.audio_path.is_file():
        return utterance
    where = f"{utterance.origin}: " if utterance.origin else ""
    try:
        length = audio_duration(utterance.audio_path)
    except AudioError as error:
        return f"{where}utterance '{utterance.id}': {error}"
    if utterance.offset >= length:
        return (
            f"{where}utterance '{utterance.id}': begins at {utterance.offset} s, "
            f"{utterance.audio_path} ends at {length:.2f} s. Mend the offset."
        )
    return replace(utterance, duration=round(length - utterance.offset, 4))
