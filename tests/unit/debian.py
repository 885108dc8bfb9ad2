"""Programs of Debian that tests ask: a developer without one is told how to get it, and CI never skips."""

import os
import shutil

import pytest

SCTK = "/usr/lib/sctk/bin"


def program(name: str, *, package: str) -> str:
    """Give the path of a program; without it the test is skipped, or fails where CI runs."""
    found = shutil.which(name) or shutil.which(name, path=SCTK)
    if found is None:
        missing = f"{name} is missing. Install it with: apt-get install {package}"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    return found
