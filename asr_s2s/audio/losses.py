"""What of a sound track is missing, by the packets that do not decode and the bytes that are in none."""

from typing import Any

import av

from asr_s2s.audio.completeness import tag_bytes
from asr_s2s.audio.content import Content

CANNOT_BE_DECODED = "holds sound that cannot be decoded"
DAMAGED = "is damaged"
CUT_OFF = "is cut off"
# Frames in a row, each found by its first bits; how many bytes of one settle its length.
UNFRAMED = {"mp3": 3, "aac": 6, "ac3": 3, "eac3": 3, "dts": 3}
LONGEST_TAG_SECONDS = 0.1  # that a tag of an unknown kind would last, if it were sound
LONGEST_SKIP_SECONDS = 3600.0  # so many bytes were no sound
PADDING_BYTES = 8192  # zeros that programs leave at the end
AMR_PAUSE_BYTES = 7  # frames that describe the noise in which nobody speaks, or nothing at all
ADTS = (b"\xff\xf0", b"\xff\xf1", b"\xff\xf8", b"\xff\xf9")
DTS = (b"\x7f\xfe\x80\x01", b"\xfe\x7f\x01\x80", b"\x1f\xff\xe8\x00", b"\xff\x1f\x00\xe8")


class Losses:
    """What is missing before the next frame of a track.

    reason: why, None where nothing is; seconds: about how long it lasted
    pauses: whether packets say that nobody speaks
    late: seconds of all bytes that were lost, where time stamps do not count them
    """

    def __init__(self, content: Content, kind: str) -> None:
        self.reason: str | None = None
        self.seconds = 0.0
        self.pauses = False
        self.late = 0.0
        self._content, self._kind = content, kind
        self._follows: int | None = None  # where the next packet should begin in the file
        self._tag_end = 0
        self._frame_bytes, self._frame_seconds = 0, 0.0  # of the last packet that was decoded
        self._frame_sizes: dict[bytes, int] = {}  # by the bytes that a frame begins with
        self._is_short = False

    def add(self, reason: str, seconds: float = 0.0) -> None:
        """Note a loss; the first reason stands."""
        self.reason, self.seconds = self.reason or reason, self.seconds + seconds

    def clear(self) -> None:
        """Forget the loss, when it has been reported."""
        self.reason, self.seconds, self.pauses = None, 0.0, False

    def came(self, packet: "av.Packet[Any]") -> None:
        """Look at a packet's place in the file; bytes between packets are lost, where they should follow each other."""
        if self._kind in UNFRAMED and packet.pos is not None and packet.size:
            self._skip_to(packet.pos)
            self._follows = packet.pos + packet.size
            head = bytes(packet)[: UNFRAMED[self._kind]]
            self._is_short = packet.size < self._frame_sizes.setdefault(head, packet.size)

    def decoded(self, packet: "av.Packet[Any]", seconds: float) -> None:
        """Learn from a packet how long a byte lasts."""
        self._frame_bytes, self._frame_seconds = packet.size, seconds

    def not_decoded(self, packet: "av.Packet[Any]") -> None:
        """Note a packet as lost, for as long as it says; of what has no frame each byte is sound like those before."""
        seconds = float(packet.duration * packet.time_base) if packet.duration and packet.time_base else 0.0
        if self._kind == "amr" and packet.size <= AMR_PAUSE_BYTES:
            self.pauses = True
        elif self._kind not in UNFRAMED:
            self.add(CANNOT_BE_DECODED, seconds)
        elif self._is_no_sound(packet.pos or 0, packet.size):
            self.late -= seconds
        else:
            lost = self._seconds_of(packet.size)
            self.late += lost - seconds
            self.add(CUT_OFF if bytes(packet).startswith((*ADTS, *DTS)) else CANNOT_BE_DECODED, lost)

    def end(self) -> None:
        """Look at what follows the last packet."""
        if self._content.fault is None:
            self._skip_to(self._content.size)
        if self._is_short:
            self.add(CUT_OFF)

    def is_of_sound(self) -> bool:
        """Return whether the loss at the end was one of sound: there may be a tag of any kind."""
        is_long = self.seconds > LONGEST_TAG_SECONDS
        return self.reason is not None and (is_long or self.reason == CUT_OFF or self._kind not in UNFRAMED)

    def _skip_to(self, end: int) -> None:
        start = self._follows
        if start is None or end <= start or not self._frame_bytes or self._is_no_sound(start, end - start):
            return
        seconds = self._seconds_of(end - start)
        seconds = 0.0 if seconds > LONGEST_SKIP_SECONDS else seconds
        self.late += seconds
        self.add(DAMAGED, seconds)

    def _seconds_of(self, size: int) -> float:
        return size / self._frame_bytes * self._frame_seconds if self._frame_bytes else 0.0

    def _is_no_sound(self, position: int, size: int) -> bool:
        """Return whether bytes at a position belong to a tag, as between files in a row, or are a few zeros."""
        if length := tag_bytes(self._content.peek(position, 16)):
            self._tag_end = position + length
        return position < self._tag_end or (size <= PADDING_BYTES and not any(self._content.peek(position, size)))
