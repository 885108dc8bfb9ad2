"""What pip installs is what works: an editable install would hide missing package data."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def test_the_wheel_transcribes_outside_the_checkout(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", ROOT, "--no-deps", "--wheel-dir", tmp_path], check=True, timeout=600)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.stat().st_size < 99e6, "PyPI takes 100 MB"
    names = zipfile.ZipFile(wheel).namelist()
    assert not [name for name in names if name.startswith(("tests/", "tools/", "recipes/"))]
    assert {
        "asr_s2s/py.typed",
        "asr_s2s/scoring/page/assets/page.html",
        "asr_s2s/transcripts/page/assets/transcript.html",
    } <= set(names)
    subprocess.run([*pip, "install", wheel, "--no-deps", "--target", tmp_path / "site"], check=True, timeout=600)
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "site")}
    for model, recording, text in (
        ("en", "arctic_a0015_1592748256.ogg", "It's the Aurora Borealis.\n"),
        ("commands", "prac8p.ogg", "place red at c eight please\n"),
    ):
        command = [sys.executable, "-m", "asr_s2s", "transcribe", ROOT / "tests" / "data" / recording, "--model", model]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert (done.stdout, done.returncode) == (text, 0), done.stderr
    where = "import asr_s2s; print(asr_s2s.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", where], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(str(tmp_path)), "the checkout was imported instead of the wheel"
