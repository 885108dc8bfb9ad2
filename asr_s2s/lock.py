"""One writer a folder: a lock that ends with the process that holds it, however that ends.

The kernel keeps the lock (flock), so that none outlives a kill or a reboot; the file says in words who holds it.
"""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from asr_s2s.errors import ConfigError

LOCK_FILE = ".lock"


@contextmanager
def held(folder: Path, *, name: str = LOCK_FILE) -> Iterator[None]:
    """Make a folder, where there is none, and keep other processes from holding it meanwhile.

    name: of the lock, where only a part of the folder is held
    Raises ConfigError that names the process that holds it, and for a folder that cannot be written.
    """
    path, is_new = folder / name, not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = _locked(path)
    except OSError as error:
        reason = "it is a file" if folder.is_file() else error.strerror
        raise ConfigError(f"{folder}: is no folder that can be written ({reason}). Name another one.") from error
    try:
        yield
    finally:
        with suppress(OSError):  # the folder may have gone with its disk
            path.unlink()
            if is_new:
                folder.rmdir()  # where nothing was written into it
        os.close(handle)


def _locked(path: Path) -> int:
    """Open and lock a file that is still the one of its name, and write into it who holds it."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(handle, 1000).decode(errors="replace") or "another process"
            os.close(handle)
            raise ConfigError(
                f"{path.parent}: {holder} writes here. Wait until it has ended, end it, or name another folder."
            ) from None
        except OSError:  # a file system that has no locks
            pass
        if path.exists() and os.path.samestat(os.fstat(handle), path.stat()):
            break
        os.close(handle)  # whoever held it has just removed it
    os.ftruncate(handle, 0)
    since = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    os.write(handle, f"process {os.getpid()} on {socket.gethostname()}, since {since},".encode())
    return handle
