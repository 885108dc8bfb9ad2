"""The sound track of a medium, through PyAV: its decoded frames in order, and whether all of them came."""

from collections.abc import Iterator
from typing import Any, BinaryIO

import av
from av.stream import Disposition

from asr_s2s.audio.completeness import mp3_length_stored
from asr_s2s.errors import AudioError

MOST_DAMAGED = 0.01  # of the packets: what MP3 files in a row and broadcasts have at their seams
KNOWN = "Name a WAV, FLAC, OGG, MP3, M4A, WebM or video file."


class Track:
    """The best sound track of an open file, its times in seconds from the start of the container.

    Raises AudioError for a file that is no medium or has no sound.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._name = name
        try:
            # Without protocols, a playlist cannot make us open the files and addresses that it names.
            self._container = av.open(stream, mode="r", options={"protocol_whitelist": ""})
        except (av.FFmpegError, ValueError) as error:
            raise AudioError(_refusal(stream, name)) from error
        track = self._container.streams.best("audio")
        if track is None:
            raise AudioError(f"{name}: holds no sound track. {KNOWN}")
        self._track = track
        self._kind = self._container.format.name
        self.seekable = self._kind.startswith(("mov", "matroska", "mp3"))  # those that find the very same sample
        # Other containers guess their length from the bit rate.
        self._length_stored = self._kind.startswith(("mov", "matroska")) or (self._kind == "mp3" and _stored(stream))
        self._has_pictures = any(_is_timed(other) for other in self._container.streams.video)
        self._origin = (self._container.start_time or 0) / av.time_base
        self._end = 0.0

    def seek(self, seconds: float) -> None:
        """Go to a packet at or before a time; the next frames() begin there."""
        assert self._track.time_base is not None
        self._container.seek(int((seconds + self._origin) / self._track.time_base), stream=self._track)

    def time(self, frame: av.AudioFrame) -> float | None:
        """Give when a frame begins, if it says so."""
        if frame.pts is None or frame.time_base is None:
            return None
        return float(frame.pts * frame.time_base) - self._origin

    def stored_duration(self) -> float | None:
        """Give the track's length in seconds, if the container states it."""
        if not self._length_stored:
            return None
        if self._track.duration and self._track.time_base:
            late = max(0.0, float((self._track.start_time or 0) * self._track.time_base) - self._origin)
            return float(self._track.duration * self._track.time_base) + late
        if self._container.duration and not self._has_pictures:
            return self._container.duration / av.time_base
        return None

    def frames(self) -> Iterator[av.AudioFrame]:
        """Decode from where the container stands to the end; a few damaged packets are passed over, but not the last.

        An MP3 has no packets but looks for its frames itself, and takes what follows the last for one.
        """
        num_packets = num_damaged = 0
        intact, heard = True, False
        for packet in self._packets():
            num_packets += 1
            try:
                decoded = packet.decode()
            except av.FFmpegError:
                intact = False
                num_damaged += heard  # a broadcast that was joined in the middle begins with half a packet
                if num_damaged > 2 + MOST_DAMAGED * num_packets:
                    raise self._damaged() from None
                continue
            intact = intact or packet.size > 0
            for frame in decoded:
                assert isinstance(frame, av.AudioFrame)
                heard = True
                yield frame
        if not intact and self._kind != "mp3":
            raise self._damaged()
        self._check_end()

    def _packets(self) -> Iterator["av.Packet[Any]"]:
        """Give the track's packets from where the container stands, and note where those of all tracks end."""
        packets = self._container.demux()
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError:
                raise self._damaged() from None
            if packet is None:
                return
            if packet.pts is not None and packet.time_base is not None and _is_timed(packet.stream):
                self._end = max(self._end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
            if packet.stream.index == self._track.index:
                yield packet

    def _check_end(self) -> None:
        """Compare where the packets end with the length that the container stores."""
        if not self._length_stored or not self._container.duration:
            return
        promised, ended = self._container.duration / av.time_base, self._end - self._origin
        # The last picture of a slow video may last seconds, and need not say so.
        tolerance = 0.01 * promised + (2.0 if self._has_pictures else 0.1)
        if ended < promised - tolerance:
            raise AudioError(
                f"{self._name}: is cut off: it promises {promised:.2f} s and ends after {ended:.2f} s. "
                "Copy or record it again."
            )

    def _damaged(self) -> AudioError:
        return AudioError(
            f"{self._name}: is cut off or damaged near {max(self._end - self._origin, 0.0):.2f} s. "
            "Copy or record it again, or save what can be played as WAV."
        )

    def close(self) -> None:
        """Free FFmpeg's handles."""
        self._container.close()


def _is_timed(stream: Any) -> bool:
    """Tell a track of sound or moving pictures from cover art and data."""
    return stream.type in ("audio", "video") and not stream.disposition & Disposition.attached_pic


def _stored(stream: BinaryIO) -> bool:
    """Tell whether an MP3 file states its length, and leave the stream where FFmpeg has it."""
    position = stream.tell()
    stored = mp3_length_stored(stream)
    stream.seek(position)
    return stored


def _refusal(stream: BinaryIO, name: str) -> str:
    stream.seek(0)
    if stream.read(8)[4:] in (b"ftyp", b"mdat", b"moov", b"free", b"wide", b"skip"):
        return f"{name}: is cut off or damaged: an MP4 file without its index (moov). Copy or record it again."
    return f"{name}: is not a sound file in a known format. {KNOWN}"
