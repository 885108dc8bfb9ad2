"""What README.md and docs/ ask people to type works, and prints what they say it prints."""

import ast
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from documents import DOCUMENTS, PAGES, ROOT, VERSIONS, Block, arguments, blocks, furnish, printed_by, quick

from asr_s2s.cli import app, run

pytestmark = pytest.mark.slow

# what has a test of its own, or asks for more than a test can give
ELSEWHERE = {
    "torchrun": "test_training_processes.py",
    "whisper-small.en/": "test_whisper_import.py",
    "models/small-en": "test_whisper_import.py, test_model_commands.py",
    "LibriSpeech/": "test_corpora.py",
    "waves_yesno": "test_corpora.py",
    "runs/char/letters": "hours of recordings",
    "tools/check": "this runs in it",
    "pip install": ".ci/run",
}
CHECK_FAILED = 4
FENCE = re.compile(r"```.*?```", re.DOTALL)
LINK = re.compile(r"\]\((?!\w+:|#)([^)#]+)(#[^)]*)?\)")
PATH = re.compile(r"`((?:asr_s2s|conf|docs|recipes|tests|tools)/[\w./-]+)`(?: \((?:`(\w[\w.]*)`)?)?")


def commands() -> list[tuple[Path, str]]:
    found = [(block.document, line) for document in DOCUMENTS for block in blocks(document) for line in block.commands]
    return [(document, line) for document, line in found if line.startswith("asr-s2s ")]


@pytest.mark.parametrize(("document", "line"), commands(), ids=lambda value: str(value)[-60:])
def test_every_command_in_the_documents_names_options_that_exist(document: Path, line: str) -> None:
    words = shlex.split(line)[1:]
    command = typer.main.get_command(app)
    while below := getattr(command, "commands", {}):
        assert words[0] in below, f"{document.name}: {line}"
        command, words = below[words[0]], words[1:]
    known = {option for parameter in command.params for option in [*parameter.opts, *parameter.secondary_opts]}
    for option in (word for word in words if word.startswith("-") and word != "-"):
        assert option in known | {"--help"}, f"{document.name}: {line}"


def shown() -> list[Block]:
    """List the commands on recordings of the repository whose output stands right below them."""
    found = [block for document in PAGES for block in blocks(document) if block.language == "bash" and block.output]
    return [block for block in found if len(block.commands) == 1 and "tests/data" in block.code]


@pytest.mark.parametrize("block", shown(), ids=lambda block: block.code[:50])
def test_what_the_documents_show_is_what_is_printed(block: Block, tmp_path: Path) -> None:
    (tmp_path / "tests").symlink_to(ROOT / "tests")  # what a command writes stays out of the checkout
    command = [sys.executable, "-m", "asr_s2s", *shlex.split(block.commands[0])[1:]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert VERSIONS.sub("", block.output) in VERSIONS.sub("", done.stdout)


@pytest.mark.parametrize("document", PAGES, ids=lambda path: path.name)
def test_the_python_of_the_documents_runs_and_prints_what_they_show(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    furnish(tmp_path)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks(document):
        if block.language == "python":
            assert block.output in ("", printed_by(block, names)), block.code


@pytest.mark.long
@pytest.mark.parametrize("document", PAGES, ids=lambda path: path.name)
def test_the_commands_of_a_page_run_one_after_another(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    furnish(tmp_path)
    monkeypatch.chdir(tmp_path)
    lines = [line for block in blocks(document) if block.language == "bash" for line in block.commands]
    for line in lines:
        if any(name in line for name in ELSEWHERE):
            continue
        assert line.startswith("asr-s2s "), line
        words = arguments(line)
        if "--resume" in words:  # a run to go on with
            run(quick([word for word in words if word != "--resume"]))
        status = run(quick(words))
        may_find = words[0] == "check" or "--fail-above" in words
        assert status in ((0, CHECK_FAILED) if may_find else (0,)), f"{line}\n{capsys.readouterr().err}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_and_paths_in_code_font_exist(document: Path) -> None:
    text = FENCE.sub("", document.read_text(encoding="utf-8"))
    for target, _ in LINK.findall(text):
        place = document.parent / target
        assert place.exists() or "generated" in place.parts, f"{document.name}: {target}"
    for path, name in PATH.findall(text):
        is_pattern = path.isupper() or any(part.isupper() for part in re.split(r"[/._]", path))
        assert is_pattern or (ROOT / path).exists(), f"{document.name}: {path}"
        if name and path.endswith(".py"):
            assert name.split(".")[-1] in defined(ROOT / path), f"{document.name}: {path} has no {name}"


@pytest.mark.parametrize("recipe", sorted((ROOT / "recipes").glob("*/README.md")), ids=lambda path: path.parent.name)
def test_all_recipes_have_one_shape(recipe: Path) -> None:
    headings = re.findall(r"^## (.*)$", FENCE.sub("", recipe.read_text(encoding="utf-8")), re.MULTILINE)
    assert headings == ["What", "Data", "Commands", "Result", "Time"]


def defined(path: Path) -> set[str]:
    kinds = ast.FunctionDef | ast.ClassDef
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, kinds)}
