"""What stands in the report page's file: the data, escaped, and nothing that reaches out."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from asr_s2s.cli import app
from asr_s2s.errors import ScoringError
from asr_s2s.manifest import Word
from asr_s2s.scoring import score
from asr_s2s.scoring.page import to_html
from asr_s2s.scoring.page.times import word_times

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
REAL = ROOT / "tests" / "data" / "scoring" / "commonvoice.jsonl"
HOSTILE = "</script><script>alert(1)</script><!-- & \" '"


def write_page(folder: Path, lines: list[dict[str, object]], *options: str) -> str:
    manifest, page = folder / "scored.jsonl", folder / "report.html"
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    done = CliRunner().invoke(app, ["score", str(manifest), "--html", str(page), *options])
    assert done.exit_code == 0, done.output
    return page.read_text(encoding="utf-8")


def payload_of(page: str) -> dict[str, object]:
    (found,) = re.findall(r'<script type="application/json" id="payload">(.*?)</script>', page, re.DOTALL)
    return json.loads(found)


def line(**fields: object) -> dict[str, object]:
    return {"audio_filepath": "a.wav", "text": "one two", "pred_text": "one too"} | fields


def test_a_hostile_text_stays_data_and_reads_back_as_it_was(tmp_path: Path) -> None:
    page = write_page(
        tmp_path, [line(id=HOSTILE, text=HOSTILE, speaker=HOSTILE), line(id="b", speaker="b")], "--normalizer", "none"
    )
    assert "<script>alert" not in page
    assert page.count("</script>") == page.count("<script")
    payload = payload_of(page)
    assert payload["references"]["id"][0] == HOSTILE
    assert payload["references"]["text"][0].split() == HOSTILE.split()
    assert HOSTILE in payload["fields"]["speaker"]["values"]


def test_a_hostile_file_name_is_escaped_in_the_title_and_in_the_link(tmp_path: Path) -> None:
    folder = tmp_path / '<script>alert("1")<'
    folder.mkdir()
    page = write_page(folder, [line(audio_filepath='"><script>x.wav')])
    assert "<script>alert" not in page
    assert "<script>x.wav" not in page
    assert "%22%3E%3Cscript%3Ex.wav" in page


def test_the_page_names_no_address_outside(tmp_path: Path) -> None:
    page = write_page(tmp_path, [line()])
    assert not re.findall(r"(?:https?:)?//(?!www\.w3\.org/2000/svg)[\w.-]+\.\w+/", page)
    assert "default-src 'none'" in page


def test_recordings_are_linked_relative_to_the_page(tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    manifest = tmp_path / "set" / "m.jsonl"
    manifest.parent.mkdir()
    manifest.write_text(json.dumps(line(audio_filepath="wav/ä b#1.wav")) + "\n")
    page = tmp_path / "reports" / "r.html"
    CliRunner().invoke(app, ["score", str(manifest), "--html", str(page)])
    assert '<script type="text/plain" class="audio">../set/wav/%C3%A4%20b%231.wav</script>' in page.read_text()


def test_recordings_are_embedded_once_each(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    page = write_page(tmp_path, [line(id="1"), line(id="2", offset=1.5, duration=2)], "--embed-audio")
    assert re.findall(r'class="audio">(.*?)</script>', page) == ["data:audio/x-wav;base64,UklGRg=="]
    assert payload_of(page)["recordings"] == {"file": [0, 0], "start": [0.0, 1.5], "seconds": [None, 2.0]}


def test_a_recording_that_cannot_be_embedded_is_named_with_the_way_out(tmp_path: Path) -> None:
    manifest = tmp_path / "m.jsonl"
    manifest.write_text(json.dumps(line()) + "\n")
    done = CliRunner().invoke(app, ["score", str(manifest), "--html", str(tmp_path / "r.html"), "--embed-audio"])
    message = str(done.exception or done.output)
    assert "1 of 1 recordings cannot be put into the page" in message
    assert "leave --embed-audio out" in message
    assert not (tmp_path / "r.html").exists()


def test_embedding_without_a_page_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["score", str(REAL), "--embed-audio"])
    assert "Name the page with --html" in str(done.exception)


def test_lines_with_odd_times_or_no_recording_make_a_page_without_them(tmp_path: Path) -> None:
    bare: dict[str, object] = {"id": "bare", "text": "one", "pred_text": "one"}
    odd = [
        {"words": "one"},
        {"words": [{"word": "one", "start": "inf", "end": 1}]},
        {"words": [3]},
        {"duration": "nan"},
    ]
    page = write_page(tmp_path, [bare, *(bare | fields | {"id": str(at)} for at, fields in enumerate(odd))])
    payload = payload_of(page)
    assert payload["recordings"] == {"file": [-1] * 5, "start": [0] * 5, "seconds": [None] * 5}
    assert payload["hypotheses"][0]["times"] == [0] * 5


def test_a_report_without_utterances_says_how_to_keep_them() -> None:
    with pytest.raises(ScoringError, match="keep_utterances=True"):
        to_html(score(["one"], ["two"]), folder=Path())
    assert "one" in to_html(score(["one"], ["two"], keep_utterances=True), folder=Path())


def test_texts_without_errors_are_written_once(tmp_path: Path) -> None:
    page = write_page(
        tmp_path, [line(id="right", pred_text="One two!"), line(id="wrong"), line(id="same", pred_text="one two")]
    )
    (hypotheses,) = payload_of(page)["hypotheses"]
    assert hypotheses["steps"] == [0, "=S", 0]
    assert hypotheses["text"] == [0, "one too", 0]
    assert hypotheses["written"] == ["One two!", 0, 0]


def test_word_times_follow_the_words_through_the_normaliser() -> None:
    timed = [Word("Twenty", 0.0, 0.5), Word("two,", 0.5, 0.8), Word("it's", 1.0, 1.4), Word("fine.", 1.5, 2.0)]
    steps = word_times(["22", "it", "is", "fine"], timed)
    edges = [sum(steps[: at + 1]) for at in range(len(steps))]
    spans = list(zip(edges[::2], edges[1::2], strict=True))
    assert spans[0] in {(0, 50), (50, 80)}  # one of the two words that became 22
    assert spans[1] == spans[2] == (100, 140)
    assert spans[3] == (150, 200)


def test_words_that_nobody_timed_lie_between_their_neighbours() -> None:
    steps = word_times(["a", "b", "c"], [Word("b", 1.0, 1.2)])
    assert steps == [100, 0, 0, 20, 0, 0]  # a: at 1.00, b: 1.00 to 1.20, c: at 1.20
