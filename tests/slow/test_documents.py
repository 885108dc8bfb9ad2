"""What README.md and docs/ tell people to type works, and prints what they say it prints."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# a command block, and the block of its output where one follows at once
BLOCK = re.compile(r"```bash\n(?P<commands>.*?)```(?:\n```text\n(?P<output>.*?)```)?", re.DOTALL)
VERBS = ("transcribe", "train", "score", "prepare", "check", "model")


def commands() -> list[tuple[Path, str]]:
    found = []
    for document in DOCUMENTS:
        for block in BLOCK.finditer(document.read_text(encoding="utf-8")):
            lines = [
                re.sub(r"\s+#.*", "", line).strip() for line in block["commands"].replace("\\\n", " ").splitlines()
            ]
            found += [(document, line) for line in lines if line.startswith("asr-s2s ")]
    return found


@pytest.mark.parametrize(("document", "line"), commands(), ids=lambda value: str(value)[:60])
def test_every_command_in_the_documents_names_options_that_exist(document: Path, line: str) -> None:
    words = shlex.split(line.replace("REFERENCE", "a").replace("HYPOTHESIS", "b"))[1:]
    verb = words[:2] if words[0] == "model" else words[:1]
    assert verb[0] in VERBS, document
    helped = subprocess.run(
        [sys.executable, "-m", "asr_s2s", *verb, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={"COLUMNS": "200"},
    )
    for option in (word for word in words if word.startswith("--")):
        assert option in helped.stdout, f"{document.name}: {line}"


def shown() -> list[tuple[str, str]]:
    """List the commands on recordings of the repository whose output stands right below them."""
    pairs = []
    for document in DOCUMENTS:
        for block in BLOCK.finditer(document.read_text(encoding="utf-8")):
            lines = block["commands"].strip().splitlines()
            if block["output"] and len(lines) == 1 and "tests/data" in lines[0]:
                pairs.append((lines[0], block["output"]))
    return pairs


@pytest.mark.parametrize(("line", "output"), shown(), ids=lambda value: value[:50])
def test_what_the_documents_show_is_what_is_printed(line: str, output: str, tmp_path: Path) -> None:
    (tmp_path / "tests").symlink_to(ROOT / "tests")  # what a command writes stays out of the checkout
    command = [sys.executable, "-m", "asr_s2s", *shlex.split(line)[1:]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    version = re.compile(r"\(whisper-normalizer [\d.]+\)")
    assert version.sub("", output) in version.sub("", done.stdout)
