"""Programs of Debian that tests ask: a developer without one is told how to get it, and CI never skips."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

SCTK = "/usr/lib/sctk/bin"


def program(name: str, *, package: str) -> str:
    """Give the path of a program; without it the test is skipped, or fails where CI runs."""
    found = shutil.which(name) or shutil.which(name, path=SCTK)
    if found is None:
        missing = f"{name} is missing. Install it with: apt-get install {package}"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    return found


def sclite(
    folder: Path, references: Sequence[Sequence[str]], hypotheses: Sequence[Sequence[str]], *options: str
) -> str:
    """Give what sclite (sctk 2.4.12) prints of pairs, named s00000-1 and so on, whose files it finds in a folder."""
    command: list[str | Path] = [program("sclite", package="sctk")]
    for side, name, texts in (("-r", "ref", references), ("-h", "hyp", hypotheses)):
        lines = [f"{' '.join(text)} (s{number:05d}-1)\n" for number, text in enumerate(texts)]
        (folder / f"{name}.trn").write_text("".join(lines), encoding="utf-8")
        command += [side, folder / f"{name}.trn", "trn"]
    command += [*options, "-i", "spu_id"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
