"""What a user names to be read: a file, a pipe, or "-" for standard input; of what can be read once a copy is held."""

import codecs
import errno
import hashlib
import io
import os
import stat
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from asr_s2s.errors import AsrError

STANDARD_INPUT = "-"
BLOCK = 1 << 16  # bytes
WRITER_SECONDS = 5.0  # until somebody must have begun to write into a pipe


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that can be opened again and again, each time from its beginning.

    held: all of what came through a pipe or standard input; None for a file on disk
    """

    path: Path
    held: bytes | None = None

    def open(self) -> BinaryIO:
        """Open it for reading. Raises OSError."""
        return self.path.open("rb") if self.held is None else io.BytesIO(self.held)

    def sha256(self) -> str:
        """Hash the bytes. Raises OSError."""
        with self.open() as file:
            digest = hashlib.sha256()
            while block := file.read(BLOCK):
                digest.update(block)
            return digest.hexdigest()


def input_file(path: Path) -> InputFile:
    """Take a file on disk as it is, and the bytes of a pipe or of standard input ("-").

    Raises OSError that says why it cannot be read: a folder, a device, a pipe that nobody writes into, or standard
    input for the second time.
    """
    if str(path) == STANDARD_INPUT:
        return InputFile(path, _standard_input())
    try:
        mode = path.stat().st_mode
    except ValueError as error:  # a zero byte, or half a character
        raise OSError(errno.EINVAL, "no file can have this name", str(path)) from error
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if stat.S_ISFIFO(mode):
        return InputFile(path, _piped(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is a device, not a file", str(path))
    return InputFile(path)


def folder_of(path: Path) -> Path:
    """Where relative paths within a file start: in its folder; for a pipe or standard input in the working folder."""
    return Path() if path.is_fifo() else path.parent


def read_bytes(path: Path, *, most: int | None = None) -> bytes:
    """Read a file, a pipe or standard input to its end.

    Raises OSError as input_file does, and for more than `most` bytes.
    """
    with input_file(path).open() as file:
        content = file.read() if most is None else file.read(most + 1)
    if most is not None and len(content) > most:
        raise OSError(errno.EFBIG, f"it has more than {most / 1e6:g} MB", str(path))
    return content


def read_text(path: Path, *, error: type[AsrError], advice: str, most: int | None = None) -> str:
    """Read UTF-8, with or without a byte order mark, or UTF-16 with one, from a file, a pipe or standard input.

    Raises the error that says why it cannot be read (more than `most` bytes among others), with the advice.
    """
    try:
        return unicode_text(read_bytes(path, most=most))
    except OSError as fault:
        raise error(f"{path}: cannot be read ({fault.strerror}). {advice}") from fault
    except UnicodeDecodeError as fault:
        raise error(f"{path}: is not UTF-8 text (byte {fault.start}). Convert it with iconv.") from fault


def unicode_text(content: bytes) -> str:
    """Decode UTF-8, or UTF-16 that begins with its mark, as Praat and editors of subtitles write it.

    Raises UnicodeDecodeError.
    """
    return content.decode("utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig")


def _standard_input() -> bytes:
    if sys.stdin is None or sys.stdin.closed:
        raise OSError(
            errno.EINVAL, "standard input is closed, or was read already: it can be named once", STANDARD_INPUT
        )
    with sys.stdin.buffer as stream:  # closed behind us: a second reader would get nothing, and not know it
        return stream.read()


def _piped(path: Path) -> bytes:
    """Read a pipe to its end; opened without waiting, since one that nobody writes into would never open."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with io.FileIO(handle) as pipe:
        first = _first_bytes(pipe, path)
        os.set_blocking(handle, True)
        return first + pipe.readall()


def _first_bytes(pipe: io.FileIO, path: Path) -> bytes:
    """Wait for the first bytes, or until a writer is there that has none yet."""
    until = time.monotonic() + WRITER_SECONDS
    while True:
        found = pipe.read(1)
        if found != b"":  # None: somebody holds the other end, and has not written yet
            return found or b""
        if time.monotonic() > until:
            raise OSError(errno.EPIPE, "it is a pipe, and nobody wrote into it", str(path))
        time.sleep(0.02)
