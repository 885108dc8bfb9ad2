"""What is wrong with the sound itself: it cannot be read, is empty, silent, clipped, too short, of another rate."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from asr_s2s.audio import Levels, measure_levels
from asr_s2s.checking.finding import CERTAIN, DOUBTFUL, NOTABLE, USELESS, CheckedUtterance, Finding
from asr_s2s.errors import AudioError
from asr_s2s.manifest import Utterance
from asr_s2s.pool import in_processes

CHUNK = 64  # utterances that a process is given at once
FEW = 4  # chunks below which a process costs more than it saves
SHORTEST = 0.1  # seconds; a digit said quickly has 0.15
SILENT = -55.0  # dB of the loudest tenth of a second; the quietest of 10,137 clips of eight corpora has -51
CLIPPED = 0.004  # of the samples within 3 % of the peak; speech has up to 0.0015, cut at a quarter of it 0.008 up
LONG = 30.0  # seconds: what Whisper and its like hold, and what batches are planned for
TOLERANCE = 0.1  # seconds that a stated duration may be off
DIED = "A process died while it read sound, maybe of a damaged file. Use --jobs 1."
RATE_KEYS = ("sample_rate", "sampling_rate")


def measure_sounds(utterances: Sequence[Utterance], *, jobs: int, on_done: Callable[[int], None]) -> list[Levels | str]:
    """Read and measure every utterance, in order; what cannot be read gives the reason.

    on_done: called with the number of utterances measured since
    Sound passes through in blocks, so that memory grows with the number of utterances alone.
    """
    chunks = [utterances[start : start + CHUNK] for start in range(0, len(utterances), CHUNK)]
    checked: list[Levels | str] = []
    alone = jobs == 1 or len(chunks) < FEW
    for found in map(_measure_all, chunks) if alone else in_processes(_measure_all, chunks, jobs=jobs, died=DIED):
        checked += found
        on_done(len(found))
    return checked


def _measure_all(utterances: Sequence[Utterance]) -> list[Levels | str]:
    return [_measure(utterance) for utterance in utterances]


def _measure(utterance: Utterance) -> Levels | str:
    try:
        return measure_levels(utterance.audio_path, offset=utterance.offset, duration=utterance.duration)
    except AudioError as error:
        return str(error)


def sound_faults(checked: Sequence[CheckedUtterance]) -> Iterator[tuple[int, Finding]]:
    """Judge each recording on its own."""
    for index, item in enumerate(checked):
        sound, stated = item.sound, item.utterance.duration
        if isinstance(sound, str):
            yield index, Finding("unreadable", sound, CERTAIN)
        elif sound.seconds < SHORTEST:
            yield index, Finding("empty", f"{sound.seconds:.3f} s of sound", CERTAIN)
        elif sound.loudest < SILENT:
            yield index, Finding("silent", f"loudest tenth of a second at {sound.loudest:.0f} dB", USELESS)
        elif sound.near_peak > CLIPPED:
            cut = f"{sound.near_peak:.1%} of the samples lie at the peak"
            yield index, Finding("clipped", cut, NOTABLE + 100 * sound.near_peak)
        if isinstance(sound, Levels) and stated is not None and sound.seconds < stated - TOLERANCE:
            short = f"{sound.seconds:.2f} s of sound, {stated:.2f} s stated"
            yield index, Finding("wrong duration", short, DOUBTFUL)


def length_faults(checked: Sequence[CheckedUtterance]) -> Iterator[tuple[int, Finding]]:
    """Find recordings that are too long to learn from: they take much memory, or the encoder holds a part of them."""
    for index, item in enumerate(checked):
        if isinstance(item.sound, Levels) and item.sound.seconds > LONG:
            told = f"{item.sound.seconds:.1f} s; cut it into utterances of at most {LONG:g} s for training"
            yield index, Finding("long", told, NOTABLE)


def rate_faults(checked: Sequence[CheckedUtterance]) -> Iterator[tuple[int, Finding]]:
    """Find recordings of a lower rate than most of their set, and of another than their manifest states."""
    rates = Counter(item.sound.sample_rate for item in checked if isinstance(item.sound, Levels))
    usual = rates.most_common(1)[0][0] if rates else 0
    for index, item in enumerate(checked):
        if not isinstance(item.sound, Levels):
            continue
        rate = item.sound.sample_rate
        stated = next((item.utterance.extra[key] for key in RATE_KEYS if key in item.utterance.extra), rate)
        if stated != rate:
            yield index, Finding("wrong rate", f"{rate} Hz, the manifest states {stated}", DOUBTFUL)
        elif rate < usual:
            yield index, Finding("wrong rate", f"{rate} Hz, most of the set {usual}", NOTABLE)
