"""One HTML file from a payload: a skeleton, a style sheet, scripts and the data, with nothing to fetch.

All text from outside reaches the page as JSON or as the title, both escaped here; the scripts put it into text nodes.
The content security policy names the hashes of the one style sheet and the one script: nothing else can run.
"""

import base64
import hashlib
import html
import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from string import Template
from typing import Any

SCRIPTS = (
    "elements.js",
    "data.js",
    "charts.js",
    "player.js",
    "alignment.js",
    "overview.js",
    "groups.js",
    "errors.js",
    "selection.js",
    "table.js",
    "main.js",
)
POLICY = "default-src 'none'; style-src '{style}'; script-src '{script}'; media-src 'self' file: data:; img-src data:"
ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})  # so that no text can close its element


def document(payload: Mapping[str, Any], *, audio: Sequence[str] = ()) -> str:
    """Write the page of a payload; audio: the address of each recording that its utterances name by number."""
    style = _asset("page.css")
    script = '"use strict";\n' + "\n".join(_asset(name) for name in SCRIPTS)
    return Template(_asset("page.html")).substitute(
        title=html.escape(payload["title"]),
        policy=POLICY.format(style=_hash(style), script=_hash(script)),
        style=style,
        script=script,
        payload=_json(payload),
        audio="\n".join(
            f'<script type="text/plain" class="audio">{html.escape(address)}</script>' for address in audio
        ),
    )


def _asset(name: str) -> str:
    return (files(__package__) / "assets" / name).read_text(encoding="utf-8")


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).translate(ESCAPES)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
