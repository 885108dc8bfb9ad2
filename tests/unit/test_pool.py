"""Several processes: an interruption while one of them still starts."""

import os
import signal
import time
from collections.abc import Iterator
from importlib import import_module
from multiprocessing import active_children
from pathlib import Path

import pytest

from asr_s2s.pool import in_processes

pytestmark = pytest.mark.unit

SLOW_TO_START = """
import time
from pathlib import Path

Path(__file__).with_name("begun").touch()
time.sleep(1)


def begin():
    pass
"""


def test_a_process_that_still_starts_leaves_an_interruption_to_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "slow_to_start.py").write_text(SLOW_TO_START)
    monkeypatch.syspath_prepend(tmp_path)
    begin = import_module("slow_to_start").begin
    begun = tmp_path / "begun"
    begun.unlink()
    others = set(active_children())

    def items() -> Iterator[int]:
        yield -1
        deadline = time.monotonic() + 60
        while not begun.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        for process in set(active_children()) - others:
            assert process.pid
            os.kill(process.pid, signal.SIGINT)

    assert list(in_processes(abs, items(), jobs=2, died="a process died", begin=begin)) == [1]
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("in_order", "num_given"), [(False, 3), (True, 0)])
def test_what_is_done_when_ctrl_c_comes_is_given_where_order_does_not_matter(
    tmp_path: Path, in_order: bool, num_given: int
) -> None:
    folders = [tmp_path / str(number) for number in range(3)]

    def items() -> Iterator[Path]:
        yield from folders
        deadline = time.monotonic() + 60
        while not all(folder.exists() for folder in folders) and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.5)  # the results are on their way
        raise KeyboardInterrupt

    given: list[None] = []
    with pytest.raises(KeyboardInterrupt):
        given.extend(in_processes(os.mkdir, items(), jobs=2, died="a process died", in_order=in_order))
    assert given == [None] * num_given
