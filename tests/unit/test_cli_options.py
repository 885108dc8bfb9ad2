"""Letters of options mean the same in every command, and --quiet leaves only results and errors."""

import json
from collections import defaultdict
from pathlib import Path

import pytest
import typer

from asr_s2s.cli import app, run

pytestmark = pytest.mark.unit

DATA = Path(__file__).parents[1] / "data"


def commands() -> dict[str, typer.core.TyperCommand]:
    found: dict[str, typer.core.TyperCommand] = {}
    waiting = [("", typer.main.get_command(app))]
    while waiting:
        name, command = waiting.pop()
        found[name] = command
        waiting += [(f"{name} {part}", one) for part, one in getattr(command, "commands", {}).items()]
    return found


def test_a_letter_means_the_same_in_every_command() -> None:
    meanings: defaultdict[str, set[str]] = defaultdict(set)
    for command in commands().values():
        for parameter in command.params:
            letters = [name for name in parameter.opts if name.startswith("-") and not name.startswith("--")]
            for letter in letters:
                meanings[letter] |= {name for name in parameter.opts if name.startswith("--")}
    assert meanings == {"-f": {"--format"}, "-m": {"--model"}, "-o": {"--output"}, "-q": {"--quiet"}}


@pytest.mark.parametrize("name", [name for name, command in commands().items() if not hasattr(command, "commands")])
def test_options_of_these_names_have_their_letters(name: str) -> None:
    expected = {"--format": "-f", "--model": "-m", "--output": "-o", "--quiet": "-q"}
    every = [parameter.opts for parameter in commands()[name].params]
    letters = {option for options in every for option in options}
    for options in every:
        for option in set(options) & set(expected):
            assert expected[option] in letters, option


def test_quiet_commands_say_nothing_beside_their_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "one.ogg").symlink_to(DATA / "lbby5a.ogg")
    (tmp_path / "in" / "one.txt").write_text("lay blue by y five again\n")
    assert run(["prepare", "folder", str(tmp_path / "in"), str(tmp_path / "out.jsonl"), "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert json.loads((tmp_path / "out.jsonl").read_text())["text"] == "lay blue by y five again"
    assert run(["check", str(tmp_path / "out.jsonl"), "-q"]) == 0
    printed = capsys.readouterr()
    assert "Nothing suspicious was found." in printed.out
    assert printed.err == ""
