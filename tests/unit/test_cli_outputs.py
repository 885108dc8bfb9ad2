"""Files that cannot be written are refused by every command while there is nothing to lose yet."""

from pathlib import Path

import pytest

from asr_s2s.cli import run

pytestmark = pytest.mark.unit

MANIFEST = str(Path(__file__).parents[1] / "data" / "manifest.jsonl")


@pytest.mark.parametrize(
    "command",
    [
        ("check", MANIFEST, "--html"),
        ("check", MANIFEST, "--json"),
        ("transcribe", "--model", "nobody", "--manifest", MANIFEST, "--output"),
    ],
    ids=lambda command: f"{command[0]} {command[-1]}",
)
def test_a_folder_that_cannot_be_made_is_told_before_any_work(
    command: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert run([*command, str(tmp_path / "file" / "out")]) == 2
    printed = capsys.readouterr()
    assert printed.err == f"{tmp_path / 'file' / 'out'}: cannot be written (Not a directory). Name another file.\n"
    assert not printed.out


def test_the_manifest_that_is_checked_is_not_written_over(capsys: pytest.CaptureFixture[str]) -> None:
    before = Path(MANIFEST).read_bytes()
    assert run(["check", MANIFEST, "--json", MANIFEST]) == 2
    assert "is an input, or another output" in capsys.readouterr().err
    assert Path(MANIFEST).read_bytes() == before
