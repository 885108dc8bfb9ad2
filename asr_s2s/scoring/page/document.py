"""The file of the page: its skeleton, styles and scripts with a payload."""

from collections.abc import Mapping, Sequence
from typing import Any

from asr_s2s.transcripts import page

OWN = page.Assets(__package__)
SCRIPTS = (
    "data.js",
    "charts.js",
    "sound.js",
    "alignment.js",
    "overview.js",
    "groups.js",
    "errors.js",
    "selection.js",
    "table.js",
    "main.js",
)


def document(payload: Mapping[str, Any], *, audio: Sequence[str] = ()) -> str:
    """Write the page of a payload; audio: the address of each recording that its utterances name by number."""
    return page.document(
        OWN["page.html"],
        payload,
        title=payload["title"],
        styles=[page.SHARED["base.css"], OWN["page.css"]],
        scripts=[*map(page.SHARED.__getitem__, ("elements.js", "player.js")), *map(OWN.__getitem__, SCRIPTS)],
        audio=audio,
    )
