"""What a user hands over, made an AudioSource: a path, samples of any kind, the bytes of a file, an open file.

What cannot be used becomes an AudioSource that says so when it is read: one item never ends the others.
"""

import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from numbers import Integral, Real
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from asr_s2s.audio import LEAST_RATE, MOST_RATE
from asr_s2s.errors import AudioError, ConfigError
from asr_s2s.manifest import Utterance
from asr_s2s.recognizer.source import AudioSource

MOST_SECONDS = 1e9  # into a recording, or of it: 30 years
MOST_CHANNELS = 16  # of an array with two axes: the shorter one is that of the channels, and no longer than this
FULL_SCALE = {"i1": 2**7, "u1": 2**7, "i2": 2**15, "i4": 2**31}  # of whole numbers, by NumPy's name of the type

NamedAudio = str | os.PathLike[str] | Utterance | AudioSource  # what names a recording without further words
Samples = NDArray[Any] | list[float] | tuple[float, ...]  # or a tensor: whatever NumPy makes an array of
AudioInput = NamedAudio | Samples | bytes | BinaryIO


def sources_of(recordings: Iterable[AudioInput]) -> Iterator[AudioSource]:
    """Wrap each of several recordings. Raises ConfigError where one alone was given."""
    single = isinstance(recordings, str | os.PathLike | bytes | np.ndarray | Utterance | AudioSource | io.IOBase)
    if single or not isinstance(recordings, Iterable):
        raise ConfigError(
            f"transcribe_many takes several recordings, and was given a {type(recordings).__name__}. "
            "Put it into a list, or call transcribe."
        )
    return map(source_of, recordings)


def source_of(
    audio: AudioInput,
    *,
    sample_rate: float | None = None,
    channel: int | None = None,
    track: int | None = None,
    strict: bool = False,
) -> AudioSource:
    """Wrap a recording; a source stays as it is. What it cannot be made of raises AudioError when it is read."""
    if isinstance(audio, AudioSource):
        return audio
    try:
        _check_number("track", track)
        source = _source(audio, sample_rate, channel, track)
        return source if source.samples is not None else replace(source, strict=strict)
    except AudioError as error:
        name = str(audio.id) if isinstance(audio, Utterance) else f"a {type(audio).__name__}"
        return AudioSource(name=name, fault=str(error))


def _source(audio: AudioInput, sample_rate: float | None, channel: int | None, track: int | None) -> AudioSource:
    _check_number("channel", channel)
    if hasattr(audio, "__array__") or isinstance(audio, list | tuple):
        if track is not None:
            raise AudioError(f"track {track}: belongs to a file; samples have none. Leave it out.")
        samples = _mixed(_scaled(_array(audio)), channel)
        return AudioSource("samples", samples=samples, sample_rate=_checked_rate(sample_rate))
    if sample_rate is not None:
        raise AudioError(
            f"sample_rate {_shown(sample_rate)}: belongs to samples; a file says its own rate. Leave it out."
        )
    if isinstance(audio, Utterance):
        _check_seconds(audio)
        path = _checked_path(audio.audio_path)
        return AudioSource(
            str(audio.id),
            path,
            offset=audio.offset,
            duration=audio.duration,
            channel=channel,
            track=track,
            language=audio.language,
        )
    if isinstance(audio, str | os.PathLike):
        path = _checked_path(audio)
        return AudioSource(str(path), path, channel=channel, track=track)
    if isinstance(audio, bytes | bytearray | memoryview):
        return AudioSource("the given bytes", stream=io.BytesIO(audio), channel=channel, track=track)
    if hasattr(audio, "read") and not isinstance(audio, io.TextIOBase):
        name = getattr(audio, "name", None)
        name = name if isinstance(name, str) else "the given file"
        return AudioSource(name, stream=_seekable(audio), channel=channel, track=track)
    raise AudioError(
        f"a {type(audio).__name__} is no recording. "
        "Give a path, the bytes of a file, a file opened with 'rb', or samples with their sample_rate."
    )


def _shown(value: object) -> str:
    """Word a value for a message, cut to a readable length."""
    try:
        return f"{value!r:.80}"
    except ValueError:  # Python refuses to write an integer of thousands of digits
        return f"a {type(value).__name__}"


def _checked_path(given: object) -> Path:
    if not isinstance(given, str | os.PathLike) or str(given) in ("", ".") or "\0" in str(given):
        raise AudioError(f"{_shown(given)}: is the name of no file. Give the path of a recording.")
    return Path(given)


def _array(audio: Any) -> NDArray[Any]:
    """Make an array of samples; those of a tensor may lie on another device, or have a gradient."""
    try:
        return np.asarray(audio.detach().cpu() if hasattr(audio, "detach") else audio)
    except (TypeError, ValueError, NotImplementedError) as error:  # lists of other lengths, types that NumPy lacks
        raise AudioError(f"samples: are no array of numbers ({error}). Give floats in [-1, 1].") from error


def _scaled(array: NDArray[Any]) -> NDArray[np.float32]:
    """Bring whole numbers to [-1, 1]; floats stay as they are."""
    kind = array.dtype.str[1:]
    if array.dtype.kind == "f":
        with np.errstate(over="ignore"):  # which makes them infinite, and that is refused
            samples = array.astype(np.float32)
    elif kind in FULL_SCALE:
        zero = FULL_SCALE[kind] if array.dtype.kind == "u" else 0  # of unsigned numbers silence is in the middle
        samples = ((array.astype(np.float64) - zero) / FULL_SCALE[kind]).astype(np.float32)
    else:
        raise AudioError(
            f"samples: have shape {array.shape} and type {array.dtype}. "
            "Give floats in [-1, 1], or whole numbers of type int8, uint8, int16 or int32."
        )
    if not np.isfinite(samples).all():
        raise AudioError("samples: hold NaN or infinite values. Remove them first.")
    return samples


def _mixed(samples: NDArray[np.float32], channel: int | None) -> NDArray[np.float32]:
    """Return one channel, or the mean of all, of samples (time,), (time, channel) or (channel, time)."""
    if samples.ndim == 1:
        samples = samples[:, None]
    if samples.ndim != 2 or not min(samples.shape):
        raise AudioError(f"samples: have shape {samples.shape}. Give at least one sample, (time,) or (time, channel).")
    by_time = samples if samples.shape[0] >= samples.shape[1] else samples.T
    num_channels = by_time.shape[1]
    if num_channels > MOST_CHANNELS or by_time.shape[0] == num_channels > 1:
        raise AudioError(
            f"samples: have shape {samples.shape}, of which it cannot be said which axis is time. "
            f"Give (time,), or at most {MOST_CHANNELS} channels that are longer than they are many."
        )
    if channel is not None and channel > num_channels:
        raise AudioError(f"samples: have {num_channels} channels, channel {channel} was asked for.")
    return by_time.mean(axis=1, dtype=np.float32) if channel is None else by_time[:, channel - 1]


def _checked_rate(sample_rate: float | None) -> float:
    if sample_rate is None:
        raise AudioError("samples were given without their sample_rate. Pass sample_rate=16000, say.")
    if not isinstance(sample_rate, Real) or not LEAST_RATE <= sample_rate <= MOST_RATE:
        raise AudioError(
            f"sample_rate {_shown(sample_rate)}: give the samples a second, from {LEAST_RATE:,} to {MOST_RATE:,}."
        )
    return float(sample_rate)


def _check_number(what: str, number: object) -> None:
    if number is not None and (not isinstance(number, Integral) or number < 1):
        raise AudioError(f"{what} {_shown(number)}: give the number of one, counted from 1, or None.")


def _check_seconds(utterance: Utterance) -> None:
    for name, value in (("offset", utterance.offset), ("duration", utterance.duration or 0.0)):
        if not isinstance(value, Real) or not 0 <= value <= MOST_SECONDS:
            raise AudioError(
                f"{utterance.audio_path}: {name} is {_shown(value)}. Give seconds, from 0 to {MOST_SECONDS:,.0f}."
            )


def _seekable(file: Any) -> BinaryIO:
    """Return a file that can be rewound, as decoders need it; another is read into memory."""
    if getattr(file, "closed", False):
        raise AudioError("the given file is closed. Open it with 'rb', and close it afterwards.")
    if all(hasattr(file, method) for method in ("seek", "seekable", "tell")):
        return file  # type: ignore[no-any-return]
    content = file.read()
    if not isinstance(content, bytes):
        raise AudioError(f"a {type(file).__name__} gives {type(content).__name__}, not bytes. Open the file with 'rb'.")
    return io.BytesIO(content)
