import json
from pathlib import Path

import pytest

from asr_s2s.training.history import History, read_history

pytestmark = pytest.mark.unit


def test_a_record_is_one_json_object_a_line_and_comes_back_equal(tmp_path: Path) -> None:
    history = History(tmp_path / "history.jsonl")
    records = [{"event": "train", "step": step, "cross_entropy_loss": 1 / 3 / step} for step in (1, 2)]
    for record in records:
        history.add(record)
    lines = (tmp_path / "history.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == records == read_history(tmp_path / "history.jsonl")


def test_reopened_with_its_first_records_it_holds_no_later_ones(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    history = History(path)
    for step in range(1, 8):
        history.add({"event": "evaluation" if step % 2 == 0 else "train", "step": step})
    again = History(path, records=4)
    assert [record["step"] for record in read_history(path)] == [1, 2, 3, 4]
    assert [record["step"] for record in again.of("evaluation")] == [2, 4]
    again.add({"event": "train", "step": 5})
    assert [record["step"] for record in read_history(path)] == [1, 2, 3, 4, 5]


def test_a_line_that_a_kill_cut_short_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text('{"event": "train", "step": 1}\n{"event": "tra')
    assert read_history(path) == [{"event": "train", "step": 1}]


def test_a_new_run_does_not_inherit_the_records_of_an_old_one(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text('{"event": "train", "step": 1}\n')
    assert History(path).records == []
    assert path.read_text() == ""


def test_numbers_that_json_cannot_hold_become_null(tmp_path: Path) -> None:
    history = History(tmp_path / "history.jsonl")
    history.add({"event": "train", "step": 1, "gradient_norm": float("inf"), "ctc_loss": float("nan")})
    assert read_history(history.path) == [{"event": "train", "step": 1, "gradient_norm": None, "ctc_loss": None}]
