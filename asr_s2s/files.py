"""Whole files or none: what is written appears under its name only when it is complete and on disk."""

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LONGEST_SUFFIX = 16  # bytes; what is longer names no format


def is_file(path: Path) -> bool:
    """Return whether there is a regular file; False too where the system refuses to answer, as for an endless name."""
    return os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises there


def is_folder(path: Path) -> bool:
    """Return whether there is a folder; False too where the system refuses to answer."""
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir raises there


def printable(path: Path) -> str:
    """Word a path as UTF-8 text: bytes of its name that are none become the replacement character."""
    return os.fsencode(path).decode("utf-8", "replace")


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Return a temporary path beside the target; on success it is synced and renamed, on failure removed.

    A link stays a link, and the file that it leads to is written. A file that is there keeps its permissions, a new one
    has those of the umask. The temporary name keeps the suffix, because some writers choose their format by it.
    """
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _created_beside(path)
    try:
        permissions = stat.S_IMODE((path if path.exists() else temporary).stat().st_mode)
        yield temporary
        temporary.chmod(permissions)  # some writers make their files private
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    except OSError as error:  # which names no file, or one that nobody knows, where the disk is full
        if error.filename in (None, str(temporary)):
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8, whole or not at all; half a surrogate pair, which UTF-8 cannot hold, becomes '?'."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="replace")


def check_writable(path: Path) -> None:
    """Raise the OSError that writing there would raise, before the work is done that is to be written."""
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        raise OSError(errno.EEXIST, "it is a folder or a device", str(path))
    check_folder(path.parent)


def check_folder(folder: Path) -> None:
    """Raise the OSError that writing files into a folder would raise; one that is not there yet is not made."""
    place = folder.absolute()
    while True:
        try:
            place.lstat()
            break
        except FileNotFoundError:
            place = place.parent
    _created_beside(place / "file").unlink()


def _created_beside(path: Path) -> Path:
    """Make an empty file with a name of its own, short enough wherever the target's is."""
    suffix = path.suffix if len(os.fsencode(path.suffix)) <= LONGEST_SUFFIX else ""
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp{suffix}")
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    return temporary
