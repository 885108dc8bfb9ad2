"""How a page reaches a recording: by a link to its file, or with the file within the page."""

import base64
import mimetypes
import os
from pathlib import Path
from urllib.parse import quote

UNKNOWN_TYPE = "audio/basic"  # a browser looks into the file itself then


def link(path: Path, *, folder: Path) -> str:
    """Write a path as an address relative to the page's folder; a browser goes up by names, not by links."""
    here = os.path.abspath(folder)  # noqa: PTH100 - Path.resolve would follow links, Path.absolute keeps '..'
    return quote(Path(os.path.relpath(path, here)).as_posix())


def data_address(path: Path) -> str:
    """Write a file as a data address. Raises OSError."""
    kind = mimetypes.guess_type(path.name)[0] or UNKNOWN_TYPE
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
