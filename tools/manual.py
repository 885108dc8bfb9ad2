"""Make the manual: write the pages that are generated from the code, and build the site.

Needs: pip install 'asr-s2s[docs]'

usage: manual.py FOLDER

The site can be read from its folder without a network: open FOLDER/index.html. The command reference is typer's, the
configuration reference comes from the pydantic classes and their comments, the Python reference from the docstrings.
"""

import argparse
import ast
import html
import inspect
import os
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from textwrap import dedent
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from asr_s2s.training import ExperimentConfig, LanguageExperimentConfig

ROOT = Path(__file__).parents[1]
GENERATED = ROOT / "docs" / "generated"
PLAIN = {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    GENERATED.mkdir(exist_ok=True)
    (GENERATED / "commands.md").write_text(commands(), encoding="utf-8")
    (GENERATED / "configuration.md").write_text(configuration(), encoding="utf-8")
    (GENERATED / "decisions.md").write_text(decisions(), encoding="utf-8")
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", arguments.folder.resolve()]
    return subprocess.run(build, cwd=ROOT, check=False, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}).returncode


def commands() -> str:
    """Return the reference of all commands, as typer writes it."""
    command = [
        sys.executable,
        "-m",
        "typer",
        "asr_s2s.cli",
        "utils",
        "docs",
        "--name",
        "asr-s2s",
        "--title",
        "Commands",
    ]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return html.unescape(done.stdout)


def decisions() -> str:
    """Return a list of the decision records, with the title of each."""
    records = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    titles = [(path.name, path.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")) for path in records]
    return "# Decisions\n\n" + "".join(f"- [{title}](../decisions/{name})\n" for name, title in titles)


def configuration() -> str:
    """Return the reference of all keys of a training's configuration, and of a language model's."""
    return "".join(_configuration())


def _configuration() -> Iterator[str]:
    yield (
        "# Configuration\n\nThe keys of a training's YAML file. A key is written under the section of its table; "
        "any of them may also be given after the command, `training.epochs=5`.\nAn unknown key is an error that "
        "names the nearest. Where a key takes one of several kinds, `kind` chooses.\n"
    )
    example = (ROOT / "conf" / "commands.yaml").read_text(encoding="utf-8")
    yield f"\n## An example\n\n`conf/commands.yaml`:\n\n```yaml\n{example}```\n"
    yield from _sections(ExperimentConfig, of="")
    yield from _sections(LanguageExperimentConfig, of="language model")


def _sections(root: type[BaseModel], *, of: str) -> Iterator[str]:
    """Return a table for each section of a file, the file itself first."""
    seen: set[type] = set()
    waiting: list[tuple[str, type[BaseModel]]] = [("", root)]
    while waiting:
        path, config = waiting.pop(0)
        if config in seen:
            continue
        seen.add(config)
        said = _sentences(config)
        title = ": ".join(filter(None, [of, path or "the whole file"]))
        yield f"\n## {title}\n\n{_first(config)}\n\n| key | type | default | meaning |\n|---|---|---|---|\n"
        for name, field in config.model_fields.items():
            yield f"| `{name}` | {_type(field)} | {_value(field)} | {_cell(said.get(name, ''))} |\n"
        waiting[:0] = [
            (".".join(filter(None, [path, name])) + _of_kind(part), part)
            for name, field in config.model_fields.items()
            for part in _models(field.annotation)
        ]


def _of_kind(config: type[BaseModel]) -> str:
    kind = config.model_fields.get("kind")
    return f" ({get_args(kind.annotation)[0]})" if kind else ""


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]


def _first(config: type) -> str:
    """Return the text of a class's docstring, without the lines that explain single keys."""
    text = inspect.cleandoc(config.__doc__ or "")
    return "\n\n".join(part for part in text.split("\n\n") if not part.split(":")[0].isidentifier())


def _sentences(config: type[BaseModel]) -> dict[str, str]:
    """Return what stands behind or before each key in the code, or explains it in the class's docstring."""
    found = {"kind": "chooses this kind"}
    for owner in reversed(config.__mro__):
        if not (isinstance(owner, type) and issubclass(owner, BaseModel)) or owner is BaseModel:
            continue
        found |= _explained(owner) | _commented(dedent(inspect.getsource(owner)))
    return found


def _explained(owner: type) -> dict[str, str]:
    lines: dict[str, str] = {}
    key = ""
    for line in inspect.cleandoc(owner.__doc__ or "").split("\n"):
        name, colon, rest = line.partition(": ")
        if colon and name.isidentifier():
            key, lines[name] = name, rest
        elif key and line.startswith("    "):
            lines[key] += " " + line.strip()
        else:
            key = ""
    return lines


def _commented(source: str) -> dict[str, str]:
    comments = {
        token.start[0]: (token.start[1], token.string.removeprefix("#").strip())
        for token in tokenize.generate_tokens(StringIO(source).readline)
        if token.type == tokenize.COMMENT and not token.string.startswith("# noqa")
    }
    found = {}
    (body,) = ast.parse(source).body
    assert isinstance(body, ast.ClassDef)
    for node in body.body:
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        if node.end_lineno in comments:
            found[node.target.id] = comments[node.end_lineno][1].split("  # noqa")[0]
        elif node.lineno - 1 in comments and comments[node.lineno - 1][0] == node.col_offset:
            found[node.target.id] = comments[node.lineno - 1][1]
    return found


def _type(field: FieldInfo) -> str:
    bounds = [_bound(each) for each in field.metadata]
    return _cell(", ".join([_named(field.annotation), *filter(None, bounds)]))


def _bound(constraint: Any) -> str:
    for name, sign in (("gt", "> "), ("ge", "≥ "), ("lt", "< "), ("le", "≤ ")):
        if getattr(constraint, name, None) is not None:
            return f"{sign}{getattr(constraint, name):g}"
    return ""


def _named(annotation: Any) -> str:
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return ", ".join([_named(parts[0]), *filter(None, map(_bound, _constraints(parts[1:])))])
    if origin is Literal:
        return " or ".join(f"`{part}`" for part in parts)
    if origin in (Union, UnionType):
        kinds = [_named(part) for part in parts if part is not type(None)]
        return " or ".join(dict.fromkeys(kinds)) + (" or nothing" if type(None) in parts else "")
    if origin is tuple:
        return "list of " + _named(parts[0]) if parts[-1] is ... else f"{len(parts)} × {_named(parts[0])}"
    if origin is dict:
        return f"names with {_named(parts[1])}"
    is_section = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return f"section{_of_kind(annotation)}" if is_section else PLAIN.get(annotation, str(annotation))


def _constraints(metadata: tuple[Any, ...]) -> Iterator[Any]:
    for each in metadata:
        yield from each.metadata if isinstance(each, FieldInfo) else [each]


def _value(field: FieldInfo) -> str:
    default = field.default
    if default is PydanticUndefined:
        return "" if field.default_factory else "required"
    if default is None or isinstance(default, BaseModel):
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else _plain(default)}`"


def _plain(default: Any) -> str:
    return f"[{', '.join(map(str, default))}]" if isinstance(default, tuple) else str(default)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
