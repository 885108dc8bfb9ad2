"""Lets the manual show our docstrings as they are meant: each line 'name: what it is' is an item of a list.

mkdocs.yml names this extension of griffe, which reads docstrings for mkdocstrings.
"""

import re
from typing import Any

import griffe

FIELD = re.compile(r"(\w+(?:, \w+)*): (?=\S)")


class Fields(griffe.Extension):
    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring:
            obj.docstring.value = listed(obj.docstring.value)


def listed(text: str) -> str:
    """Make Markdown of a docstring: fields become items, what is raised a paragraph of its own."""
    lines: list[str] = []
    in_list = in_example = False
    for line in text.splitlines():
        in_example = (in_example and bool(line)) or line.startswith(">>>")
        found = None if in_example else FIELD.match(line)
        begins = (
            found is not None or line.startswith("Raises ") or (in_list and bool(line) and not line.startswith(" "))
        )
        if begins and lines and lines[-1] and not (found and in_list):
            lines.append("")
        in_list = found is not None or (in_list and line.startswith(" "))
        lines.append(FIELD.sub(lambda match: f"- `{match[1]}`: ", line, count=1) if found else line)
    return "\n".join(lines)
