"""Whether recordings can be read, found before the first step: from their headers, or by decoding all of them."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from asr_s2s.audio import SAMPLE_RATE, audio_duration, read_blocks
from asr_s2s.errors import AudioError, VocabularyError
from asr_s2s.manifest import Utterance

THREADS = 8  # waiting for a disk, and decoding, which both leave Python to the others


def seconds_by_headers(utterances: Sequence[Utterance]) -> list[float | AudioError]:
    """Return the seconds that each utterance's header, or a duration that is stated and may be true, says that it has.

    An AudioError in a place says why that utterance cannot be read; it names the utterance and its manifest line.
    """
    return _each(_by_header, utterances)


def seconds_by_decoding(utterances: Sequence[Utterance]) -> list[float | AudioError]:
    """Decode each utterance, block by block, and give its seconds, or why it cannot be read (seconds_by_headers)."""
    return _each(_by_decoding, utterances)


def check_stated(utterance: Utterance, seconds: float) -> None:
    """Raise AudioError if an utterance that holds so many seconds is shorter than its manifest states."""
    if utterance.duration is not None and seconds < 0.9 * utterance.duration - 0.1:
        held = f"{seconds:.2f} s from {utterance.offset:.2f} s on"
        raise AudioError(
            f"{utterance.audio_path}: holds {held}, {utterance.duration:.2f} s were stated. Correct the manifest or "
            "the file."
        )


@contextmanager
def naming(utterance: Utterance) -> Iterator[None]:
    """Put the manifest line and the utterance's name before a message."""
    try:
        yield
    except (AudioError, VocabularyError) as error:
        where = f"{utterance.origin}: " if utterance.origin else ""
        raise type(error)(f"{where}utterance '{utterance.id}': {error}") from error


def _each(work: Callable[[Utterance], float], utterances: Sequence[Utterance]) -> list[float | AudioError]:
    def named(utterance: Utterance) -> float | AudioError:
        try:
            with naming(utterance):
                return work(utterance)
        except AudioError as error:
            return error

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(named, utterances))


def _by_header(utterance: Utterance) -> float:
    seconds = audio_duration(utterance.audio_path) - utterance.offset
    if seconds <= 0:
        raise AudioError(f"{utterance.audio_path}: has no sound from {utterance.offset} s on. Give an earlier offset.")
    check_stated(utterance, seconds)
    return seconds if utterance.duration is None else utterance.duration


def _by_decoding(utterance: Utterance) -> float:
    blocks = read_blocks(utterance.audio_path, offset=utterance.offset, duration=utterance.duration)
    seconds = sum(map(len, blocks)) / SAMPLE_RATE
    check_stated(utterance, seconds)
    return seconds
