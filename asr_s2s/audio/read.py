"""From a sound file of any kind to samples (time,) at a known rate."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from asr_s2s.audio.findings import Findings
from asr_s2s.audio.mono import mono
from asr_s2s.audio.opening import opened
from asr_s2s.audio.resample import SAMPLE_RATE, resample_blocks
from asr_s2s.errors import AudioError

LEAST_RATE, MOST_RATE = 1_000, 1_000_000  # samples a second; beyond them a header is damaged
MARGIN_SECONDS = 0.1  # read on both sides of a piece, so that the resampling filter sees what the whole would show it


def read_audio(
    source: Path | BinaryIO,
    *,
    sample_rate: int = SAMPLE_RATE,
    offset: float = 0.0,
    duration: float | None = None,
    channel: int | None = None,
) -> NDArray[np.float32]:
    """Read a file, or at most `duration` seconds from `offset` on, mixed down or one channel (counted from 1).

    A piece equals the same slice of the whole. A stream is named in messages by its `name`.
    returns: (time,), float32; whole numbers are scaled to [-1, 1]
    Raises AudioError for what is missing, no sound, empty, cut off, damaged or not finite.
    """
    blocks = read_blocks(source, sample_rate=sample_rate, offset=offset, duration=duration, channel=channel)
    return np.concatenate(list(blocks))


def read_blocks(
    source: Path | BinaryIO,
    *,
    sample_rate: int = SAMPLE_RATE,
    offset: float = 0.0,
    duration: float | None = None,
    channel: int | None = None,
    track: int | None = None,
    findings: Findings | None = None,
) -> Iterator[NDArray[np.float32]]:
    """Read as read_audio does, in blocks of half a minute or so: hours pass through little memory.

    track: the number of a sound track, counted from 1; None takes the best that is not silent
    findings: take damage and choices, while what can be decoded is read; None refuses what is damaged
    yields: (time,), at least one sample in all
    Raises AudioError as read_audio does, at the latest with the last block.
    """
    findings = findings or Findings(_name(source))
    name = findings.name
    if not (0 <= offset < math.inf and (duration is None or round(min(duration, 1e9) * sample_rate) > 0)):
        raise AudioError(
            f"{name}: offset {offset} s, duration {duration} s is no piece. "
            "Give an offset from 0 up and a duration above 0."
        )
    findings.want(offset, duration)
    first, count = round(offset * sample_rate), None if duration is None else round(min(duration, 1e9) * sample_rate)
    num_samples = 0
    with opened(source, findings, track=track) as decoder:
        if not LEAST_RATE <= decoder.sample_rate <= MOST_RATE:
            raise AudioError(f"{name}: its header gives a rate of {decoder.sample_rate} Hz. Export it at 8 to 48 kHz.")
        if channel is not None and not 1 <= channel <= decoder.channels:
            raise AudioError(_no_channel(name, channel, decoder.channels))
        findings.stated_duration = decoder.stated_duration() if duration is None else duration
        # Where both rates meet on whole samples a piece can begin with the same filter phase as the whole.
        step_in, step_out = (
            rate // math.gcd(decoder.sample_rate, sample_rate) for rate in (decoder.sample_rate, sample_rate)
        )
        steps = max(0, (first - math.ceil(MARGIN_SECONDS * sample_rate)) // step_out)
        position = steps * step_out - first  # of the next block, in samples after the first one asked for
        stop = None if count is None else math.ceil((first + count) / sample_rate * decoder.sample_rate)
        stop = None if stop is None else stop + math.ceil(MARGIN_SECONDS * decoder.sample_rate)
        blocks = mono(decoder, steps * step_in, stop, channel=channel, findings=findings)
        for block in resample_blocks(blocks, decoder.sample_rate, sample_rate):
            wanted = block[max(0, -position) : None if count is None else max(0, count - position)]
            position += len(block)
            num_samples += len(wanted)
            if len(wanted):
                yield wanted
    if num_samples == 0:
        end = f"has no sound from {offset} s on. Give an earlier offset."
        raise AudioError(f"{name}: {end if first else 'holds no samples. Record or export it again.'}")


def audio_duration(source: Path | BinaryIO) -> float:
    """Return a file's length in seconds, from its header where that can be trusted, otherwise by decoding all of it.

    Raises AudioError as read_audio does, for what the header shows.
    """
    findings = Findings(_name(source))
    with opened(source, findings) as decoder:
        duration = decoder.stated_duration()
        if duration is None:
            duration = sum(len(block) for block in decoder.blocks(0, None)) / decoder.sample_rate
        if findings.cut:
            findings.lost(duration, None, findings.cut)
        return duration


def count_channels(source: Path | BinaryIO) -> int:
    """Return how many channels a file has. Raises AudioError as read_audio does, for what the header shows."""
    with opened(source, Findings(_name(source))) as decoder:
        return decoder.channels


def _name(source: Path | BinaryIO) -> str:
    if isinstance(source, Path):
        return str(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "the given sound"


def _no_channel(name: str, channel: int, channels: int) -> str:
    has = "1 channel" if channels == 1 else f"{channels} channels"
    choices = ", ".join(f"--channel {number}" for number in range(1, min(channels, 8) + 1))
    return f"{name}: has {has}, channel {channel} was asked for. Use {choices}, or leave it out to mix them."
