"""A run that is killed at any moment and resumed ends with the bits of an unbroken one."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

TOOL = Path(__file__).parents[2] / "tools" / "kill_training.py"


def test_twenty_random_kills_change_no_bit_of_what_comes_out() -> None:
    command = [sys.executable, str(TOOL), "--kills", "20"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"20 kills in \d+ runs of .*equal those of an unbroken run", done.stdout)
