import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import typer

from asr_s2s.cli import app

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]


def tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_key_of_the_configuration_reference_has_a_sentence() -> None:
    reference = tool("manual").configuration()
    rows = re.findall(r"^\| `(\w+)` \| (.*) \| (.*) \| (.*) \|$", reference, re.MULTILINE)
    assert len(rows) > 150
    assert [key for key, _, _, sentence in rows if not sentence.strip()] == []


def commands(command: typer.core.TyperCommand, path: str) -> Iterator[tuple[str, typer.core.TyperCommand]]:
    below = getattr(command, "commands", {})
    for name, one in below.items():
        yield from commands(one, f"{path} {name}")
    if not below:
        yield path, command


def test_every_option_of_every_command_stands_in_the_reference_with_its_help() -> None:
    sections = dict(
        re.findall(r"^#+ `(asr-s2s [^`]+)`\n(.*?)(?=^#+ `asr-s2s|\Z)", tool("manual").commands(), re.S | re.M)
    )
    listed = dict(commands(typer.main.get_command(app), "asr-s2s"))
    assert set(listed) <= set(sections)
    for path, command in listed.items():
        for parameter in command.params:
            assert parameter.help, f"{path} {parameter.name}"
            shown = parameter.opts[0] if parameter.param_type_name == "option" else parameter.metavar or parameter.name
            assert shown in sections[path], f"{path} {shown}"
            first = parameter.help.split(":")[0].split("'")[0][:30]
            assert first in " ".join(sections[path].split()), f"{path} {shown}"


def test_the_documents_hold_the_figures_of_the_measurements() -> None:
    results = tool("results")
    for page in results.PAGES:
        text = page.read_text(encoding="utf-8")
        assert results.filled(text) == text, f"{page.name}: run tools/results.py"
