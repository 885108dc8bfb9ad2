"""One HTML file from a payload: a skeleton, style sheets, scripts and the data, with nothing to fetch.

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

POLICY = "default-src 'none'; style-src '{style}'; script-src '{script}'; media-src 'self' file: data:; img-src data:"
ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})  # so that no text can close its element


class Assets:
    """The files beside a package that pages are made of, each as its text."""

    def __init__(self, package: str) -> None:
        self._folder = files(package) / "assets"

    def __getitem__(self, name: str) -> str:
        return (self._folder / name).read_text(encoding="utf-8")


def document(
    skeleton: str,
    payload: Mapping[str, Any],
    *,
    title: str,
    styles: Sequence[str],
    scripts: Sequence[str],
    audio: Sequence[str] = (),
) -> str:
    """Write the page of a payload.

    skeleton: HTML with $title, $policy, $style, $script, $payload and $audio
    audio: the address of each recording, which the scripts find by number
    """
    style = "\n".join(styles)
    script = '"use strict";\n' + "\n".join(scripts)
    return Template(skeleton).substitute(
        title=html.escape(title),
        policy=POLICY.format(style=_hash(style), script=_hash(script)),
        style=style,
        script=script,
        payload=_json(payload),
        audio="\n".join(
            f'<script type="text/plain" class="audio">{html.escape(address)}</script>' for address in audio
        ),
    )


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).translate(ESCAPES)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
