"""A sound track of a medium, through PyAV: its decoded frames in order, and what of it was lost."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition

from asr_s2s.audio.completeness import mp3_length_stored
from asr_s2s.audio.content import Content
from asr_s2s.audio.losses import DAMAGED, Losses
from asr_s2s.errors import AudioError

KNOWN = "Name a WAV, FLAC, OGG, MP3, M4A, WebM or video file."
UNREADABLE = (av.FFmpegError, IndexError, ValueError, OverflowError, MemoryError)  # what PyAV raises on damaged files
SLOPPY_SECONDS, SLOPPY_SHARE = 0.1, 0.002  # that a stored length may be off
RETRIES = 100  # errors of a container in a row, before the rest of it is given up
# Containers that store their length; the others guess it from the bit rate.
STORING = ("mov", "matroska", "flac", "avi", "asf", "caf", "wv", "tta", "ape", "flv")
# Kinds without a header, or with one that FFmpeg does not look for: they are known by their names alone.
NAMED = ("g722", "g726", "g726le", "g729", "aptx", "aptx_hd", "sbc", "rso", "sln")
EXACT = ("mov", "matroska", "mp3", "flac")  # those that find the very same sample again


class Track:
    """A sound track of an open file, its times in seconds from the start of the container.

    number: of the track, counted from 1; None takes the one that FFmpeg thinks best
    losses: what is missing before the next frame
    delivered: bytes of all tracks that were read so far
    Raises AudioError for a file that is no medium or has no such track.
    """

    def __init__(self, content: Content, name: str, number: int | None, *, ignore_length: bool) -> None:
        self._content = content
        options = {"protocol_whitelist": ""} | ({"ignore_length": "1"} if ignore_length else {})
        opened = _opened(content, "", options)
        self.is_guess = opened is None  # by the name, since its first bytes are of no known kind
        opened = opened or _opened(content, f"sound{Path(name).suffix}", options)
        if opened is None:
            raise AudioError(refusal(content, name))
        self._container, tracks, best = opened
        if not tracks:
            raise AudioError(f"{name}: holds no sound track. {KNOWN}")
        self.num_tracks = len(tracks)
        indices = [track.index for track in tracks]
        chosen = number or (indices.index(best.index) + 1 if best and best.index in indices else 1)
        if not 1 <= chosen <= len(tracks):
            has = "1 sound track" if len(tracks) == 1 else f"{len(tracks)} sound tracks"
            raise AudioError(f"{name}: has {has}, track {number} was asked for. Leave --track out, or give another.")
        self._track = tracks[chosen - 1]
        codec = self._track.codec_context
        self._is_endless = ignore_length or self._container.format.name == "adx"  # its last packet may be short
        if codec.name == "flac":  # which has a checksum for every frame
            codec.options = {"err_detect": "crccheck+explode"}
        self._kind = self._container.format.name
        self.seekable = self._kind.startswith(EXACT)
        stored = self._kind.startswith(STORING) or (self._kind == "mp3" and mp3_length_stored(content))
        self._length_stored = stored and not ignore_length
        self._has_pictures = any(_is_timed(other) for other in self._container.streams.video)
        self._origin = (self._container.start_time or 0) / av.time_base
        self._end = self._own_end = 0.0  # of the packets of all tracks, and of this one
        self.delivered = 0
        self.losses = Losses(content, self._kind)
        if self.is_guess and not self.is_named:
            self.losses.add(DAMAGED)

    @property
    def is_named(self) -> bool:
        """Whether files of its kind can only be known by their names."""
        return self._kind in NAMED

    @property
    def may_pause(self) -> bool:
        """Whether its time stamps may leave sound out on purpose."""
        return self._kind != "flac"

    @property
    def is_float(self) -> bool:
        """Whether it holds plain floating-point samples."""
        return self._track.codec_context.name.startswith("pcm_f")

    def seek(self, seconds: float) -> bool:
        """Go to a packet at or before a time; the next frames() begin there, unless it cannot be found."""
        assert self._track.time_base is not None
        self._content.allow()
        self.losses = Losses(self._content, self._kind)  # what lies between is not lost
        try:
            self._container.seek(int((seconds + self._origin) / self._track.time_base), stream=self._track)
        except UNREADABLE:
            return False
        return True

    def time(self, frame: av.AudioFrame) -> float | None:
        """Give when a frame begins, if it says so."""
        if frame.pts is None or frame.time_base is None:
            return None
        return float(frame.pts * frame.time_base) - self._origin + self.losses.late

    def stored_duration(self) -> float | None:
        """Return the track's length in seconds, if the container states it."""
        if not self._length_stored:
            return None
        if self._track.duration and self._track.time_base:
            late = max(0.0, float((self._track.start_time or 0) * self._track.time_base) - self._origin)
            return float(self._track.duration * self._track.time_base) + late
        if self._container.duration and not self._has_pictures:
            return self._container.duration / av.time_base
        return None

    def frames(self) -> Iterator[av.AudioFrame]:
        """Decode from where the container stands to the end; what cannot be decoded is noted as a loss."""
        for packet in self._packets():
            try:
                decoded = packet.decode()
            except UNREADABLE:
                self.losses.not_decoded(packet)
                continue
            if (packet.is_corrupt and not self._is_endless) or any(frame.is_corrupt for frame in decoded):
                self.losses.add(DAMAGED)
            for frame in decoded:
                assert isinstance(frame, av.AudioFrame)
                self.losses.decoded(packet, frame.samples / frame.sample_rate)
                yield frame

    def promised_end(self) -> float | None:
        """Return the seconds at which the sound should end by what the container stores, if it ended well before."""
        if not self._length_stored:
            return None
        base, total = self._track.time_base, self._container.duration
        if self._track.duration and base:
            promised = float(((self._track.start_time or 0) + self._track.duration) * base)
            ended = self._own_end + self.losses.late
            tolerance = SLOPPY_SECONDS + SLOPPY_SHARE * promised if self.may_pause else 0.01
        elif total:
            promised, ended = total / av.time_base, self._end + self.losses.late
            # The last picture of a slow video may last seconds, and need not say so.
            tolerance = (2.0 if self._has_pictures else SLOPPY_SECONDS) + SLOPPY_SHARE * promised
        else:
            return None
        return promised - self._origin if ended < promised - tolerance else None

    def _packets(self) -> Iterator["av.Packet[Any]"]:
        """Return the track's packets from where the container stands, and note where those of all tracks end."""
        packets = self._container.demux()
        num_errors = 0
        while num_errors < RETRIES:
            self._content.allow()
            try:
                packet = next(packets, None)
            except UNREADABLE:
                self.losses.add(DAMAGED)
                num_errors += 1
                packets = self._container.demux()
                continue
            if packet is None:
                break
            num_errors = 0
            self.delivered += packet.size
            is_own = packet.stream_index == self._track.index
            if packet.pts is not None and packet.time_base is not None:
                end = float((packet.pts + (packet.duration or 0)) * packet.time_base)
                self._end = max(self._end, end)
                self._own_end = max(self._own_end, end) if is_own else self._own_end
            if is_own:
                self.losses.came(packet)
                yield packet
        self.losses.end()

    def close(self) -> None:
        """Free FFmpeg's handles."""
        self._container.close()


def _is_timed(stream: Any) -> bool:
    """Tell a track of sound or moving pictures from cover art and data."""
    return stream.type in ("audio", "video") and not stream.disposition & Disposition.attached_pic


def _opened(
    content: Content, name: str, options: dict[str, str]
) -> tuple[InputContainer, list[AudioStream], Any] | None:
    """Open a file, with its sound tracks and the one that FFmpeg thinks best; None where it is of no known kind."""
    content.allow()
    content.seek(0)
    content.name = name
    try:
        # Without protocols, a playlist cannot make us open the files and addresses that it names.
        container = av.open(content, mode="r", metadata_errors="replace", options=options)
        tracks = [track for track in container.streams.audio if track.codec_context is not None]
        return container, tracks, container.streams.best("audio")
    except (*UNREADABLE, OSError):
        return None


def refusal(content: Content, name: str) -> str:
    """Word why a file cannot be read at all."""
    if content.fault:
        return f"{name}: {content.fault}. Copy it again."
    if content.peek(0, 8)[4:] in (b"ftyp", b"mdat", b"moov", b"free", b"wide", b"skip"):
        return f"{name}: is cut off or damaged: an MP4 file without its index (moov). Copy or record it again."
    return f"{name}: is not a sound file in a known format. {KNOWN}"
