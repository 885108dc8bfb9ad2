"""What a run shows: the page, the live view, the event files."""

import io
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console
from training_tiny import QUIET, tiny_experiment

from asr_s2s.errors import MissingExtraError
from asr_s2s.training import train
from asr_s2s.training.history import read_history
from asr_s2s.training.page import write_page
from asr_s2s.training.progress import ProgressReport, sparkline
from asr_s2s.training.tensorboard import EventFiles

pytestmark = pytest.mark.unit


class Page(HTMLParser):
    """Collects what a page shows, and whatever it would have to fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.fetched: list[str] = []
        self.pictures = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        for name, value in attrs:
            if name in ("src", "href"):
                embedded = (value or "").startswith("data:image/png;base64,")
                self.pictures += embedded
                self.fetched += [] if embedded else [value or ""]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_page_of_a_run_needs_nothing_beside_it_and_shows_curves_attention_and_texts(tmp_path: Path) -> None:
    result = train(tiny_experiment(tmp_path, plots=True, epochs=2), output=tmp_path / "run", console=QUIET)
    page = Page()
    page.feed((tmp_path / "run" / "report.html").read_text())
    assert page.fetched == []
    assert page.pictures == 2 + 2  # two curves, and the attention after each epoch
    evaluation = read_history(tmp_path / "run" / "history.jsonl")[-1]
    assert result.summary in page.text
    assert f"{evaluation['dev_cross_entropy_loss']:.3f}" in page.text
    assert evaluation["samples"][0]["reference"] in page.text


def test_texts_with_markup_are_shown_as_they_are(tmp_path: Path) -> None:
    record = (
        '{"event": "evaluation", "step": 1, "epoch": 1, "samples": [{"reference": "a <b> & c", "hypothesis": "<i>"}]}'
    )
    (tmp_path / "history.jsonl").write_text(record + "\n")
    write_page(tmp_path)
    page = Page()
    page.feed((tmp_path / "report.html").read_text())
    assert {"a <b> & c", "<i>"} <= set(page.text)


def test_a_sparkline_goes_from_the_lowest_to_the_highest() -> None:
    assert sparkline([3.0, 2.0, 1.0, float("nan")]) == "█▅▁"
    assert sparkline([1.0, 1.0]) == "▁▁"
    assert sparkline([]) == ""
    assert len(sparkline(list(range(1000)), width=40)) == 40


def test_the_live_view_shows_losses_speed_and_error_rates_on_a_terminal_and_leaves_no_trace_elsewhere() -> None:
    for terminal in (True, False):
        written = io.StringIO()
        with ProgressReport(Console(file=written, force_terminal=terminal, width=100)) as report:
            report.evaluated(wer=0.25)
            report.step("epoch 2 of 9", progress=0.5, losses={"cross_entropy": 1.5}, pace="1,234 frames a second")
        shown = re.sub(r"\x1b\[[^A-Za-z]*[A-Za-z]", "", written.getvalue())
        for part in ("cross entropy", "1.500", "dev WER", "25.0%", "1,234 frames a second", "epoch 2 of 9", "50%"):
            assert (part in shown) == terminal, part


def test_event_files_hold_the_figures_of_the_history(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    train(tiny_experiment(tmp_path, tensorboard=True, epochs=2), output=tmp_path / "run", console=QUIET)
    events = accumulator.EventAccumulator(str(tmp_path / "run" / "events"))
    events.Reload()
    records = [one for one in read_history(tmp_path / "run" / "history.jsonl") if one["event"] == "evaluation"]
    found = [(scalar.step, scalar.value) for scalar in events.Scalars("evaluation/dev_ctc_loss")]
    assert found == [(one["step"], pytest.approx(one["dev_ctc_loss"], rel=1e-6)) for one in records]


def test_without_tensorboard_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'asr-s2s\[tensorboard\]'"):
        EventFiles(tmp_path, step=0)
