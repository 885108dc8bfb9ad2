"""An open file as decoders see it: nameless, for a suffix may overrule what is in it, and without surprises."""

from bisect import bisect_right
from io import SEEK_END, SEEK_SET, RawIOBase
from itertools import accumulate
from typing import BinaryIO

ALLOWANCE = 1 << 26  # bytes: far more than any index, cover picture or frame of a video holds


class Content:
    """What decoders may read of a stream; an error of the disk is the end of the file to them, and kept as `fault`.

    name: by which a decoder may guess the kind of a file
    Damaged files make libraries ask for places before the start, and an exception in their callbacks would be printed.
    """

    def __init__(self, stream: BinaryIO | RawIOBase) -> None:
        self._stream = stream
        self.tell = stream.tell
        self.name = ""
        self.size = self.seek(0, SEEK_END)
        self.fault: str | None = None
        self._allowance: int | None = None

    def allow(self) -> None:
        """Let so many bytes be read until the next call; a parser that finds nothing to decode would keep them all."""
        self._allowance = ALLOWANCE

    def read(self, size: int = -1) -> bytes:
        """Read at most so many bytes; none at the end and where nothing can be read."""
        try:
            data: bytes = self._stream.read(size) or b""
        except OSError as error:
            self.fault = f"cannot be read on ({error.strerror or error})"
            return b""
        if self._allowance is not None:
            self._allowance -= len(data)
            if self._allowance < 0:
                self.fault = f"holds {ALLOWANCE >> 20} MB and more that no decoder knows"
                return b""
        return data

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        """Go to a place, or stay where that cannot be."""
        try:
            return self._stream.seek(offset, whence)
        except (OSError, ValueError, OverflowError):
            return self._stream.tell()

    def peek(self, position: int, size: int) -> bytes:
        """Read at a place, fewer bytes at the end, and go back to where the stream stands."""
        place = self.tell()
        self.seek(position)
        data = self.read(size)
        self.seek(place)
        return data


class Spans(RawIOBase):
    """Some bytes and stretches of a content, joined to a stream of their own."""

    def __init__(self, content: Content, head: bytes, spans: list[tuple[int, int]]) -> None:
        self._content, self._head, self._spans = content, head, spans
        self._ends = list(accumulate((end - start for start, end in spans), initial=len(head)))
        self._position = 0

    def readable(self) -> bool:
        """Return True: it can be read."""
        return True

    def seekable(self) -> bool:
        """Return True: any place can be sought."""
        return True

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        """Go to a place."""
        base = {SEEK_SET: 0, SEEK_END: self._ends[-1]}.get(whence, self._position)
        self._position = max(base + offset, 0)
        return self._position

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        """Read from one stretch at most."""
        data = self._at(self._position, len(buffer))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def _at(self, position: int, size: int) -> bytes:
        if position < len(self._head):
            return self._head[position : position + size]
        index = bisect_right(self._ends, position) - 1
        if index == len(self._spans):
            return b""
        start, end = self._spans[index]
        start += position - self._ends[index]
        return self._content.peek(start, min(size, end - start))
