"""A small run of the fuzzer over command lines, Python calls and small files."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

TOOL = Path(__file__).parents[2] / "tools" / "bench" / "fuzz_use.py"


def test_no_use_is_answered_with_a_traceback() -> None:
    command = [sys.executable, str(TOOL), "--seed", "4", "--tries", "300", "--commands", "2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "300 tries" in done.stdout
