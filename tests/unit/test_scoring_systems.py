"""Several systems side by side; the tables, the verification, the exit status."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

from asr_s2s.cli import run
from asr_s2s.errors import ScoringError
from asr_s2s.scoring import compare, score, to_csv, to_json, to_latex, to_markdown, to_text, verify
from asr_s2s.scoring.bootstrap import difference, rate_interval
from asr_s2s.scoring.significance import MatchedSegments, binomial_test, mcnemar, sign_test

pytestmark = pytest.mark.unit

SYSTEMS = Path(__file__).parents[1] / "data" / "scoring" / "systems"
REFERENCE = SYSTEMS / "reference.jsonl"


def test_each_system_gets_the_report_that_it_gets_alone() -> None:
    names = ("en-beam1", "en-beam5")
    result = compare(REFERENCE, {name: SYSTEMS / f"{name}.jsonl" for name in names}, group_by="speaker")
    for name, report in zip(names, result.reports, strict=True):
        alone = score(REFERENCE, SYSTEMS / f"{name}.jsonl", group_by="speaker")
        assert (report.raw, report.normalised, report.groupings) == (alone.raw, alone.normalised, alone.groupings)
        assert report.intervals == alone.intervals


def test_the_difference_is_said_in_words_with_its_significance() -> None:
    result = compare(REFERENCE, {name: SYSTEMS / f"{name}.jsonl" for name in ("en-beam1", "en-beam5", "tiny.en")})
    lines = [line for line in to_text(result).splitlines() if "MAPSSWE" in line]
    assert len(lines) == 3
    assert re.fullmatch(
        r"en-beam5 is better than en-beam1 by 1\.42 points \[0\.\d\d, 2\.\d\d\], "
        r"MAPSSWE p = 0\.02\d, bootstrap p = 0\.0\d\d\.",
        lines[0],
    )
    assert lines[1].startswith("No significant difference: tiny.en is 0.75 points below en-beam1 [")
    points = [report.normalised.words.rate for report in result.reports]
    assert [each.points for each in result.differences] == pytest.approx(
        [points[1] - points[0], points[2] - points[0], points[2] - points[1]]
    )


def test_equal_systems_do_not_differ() -> None:
    result = compare(["a b", "c"], {"one": ["a x", "c"], "other": ["x b", "c"]})
    found = result.differences[0]
    assert (found.points, found.p_mapsswe, found.p_sign, found.p_mcnemar) == (0.0, 1.0, 1.0, 1.0)
    assert "one and other have equally many errors" in to_text(result)


def test_systems_are_compared_on_the_utterances_that_both_were_scored_on() -> None:
    references = {"a": "one two", "b": "six", "c": "ten"}
    systems = {"all": {"a": "one", "b": "six", "c": "ten"}, "some": {"b": "sex", "c": "ten"}}
    result = compare(references, systems, missing="skip")
    assert result.differences[0].num_utterances == 2
    assert result.differences[0].points == 0.5
    assert "On the 2 utterances that both were scored on: No significant difference: all is 50.00 points" in to_text(
        result
    )


def test_utterances_are_resampled_where_all_are_of_one_speaker(tmp_path: Path) -> None:
    texts = {"reference": ["a b c", "d e", "f g h"], "one": ["a x c", "d e", "f g"], "other": ["a b c", "d", "f g h"]}
    paths = {}
    for name, lines in texts.items():
        key = "text" if name == "reference" else "pred_text"
        records = [{"id": str(number), key: line, "speaker": "anna"} for number, line in enumerate(lines)]
        paths[name] = tmp_path / f"{name}.jsonl"
        paths[name].write_text("".join(json.dumps(record) + "\n" for record in records))
    found = compare(paths["reference"], {name: paths[name] for name in ("one", "other")}).differences[0]
    assert found.low < found.points < found.high
    assert 0 < found.p_bootstrap < 1


def test_segments_end_where_both_have_two_words_right() -> None:
    segments = MatchedSegments()
    # reference w0 .. w9; the first is wrong at 1 and 3 (one word between), the second at 6 (two words after 3)
    segments.add([("replace", 1, 1), ("delete", 3, 3)], [("insert", 6, 6)])
    assert segments.count == 2
    segments.add([], [])
    assert segments.count == 2


def test_binomial_tests_are_exact() -> None:
    assert binomial_test(2, 8) == pytest.approx(2 * (1 + 10 + 45) / 1024)
    assert binomial_test(0, 5) == pytest.approx(2 / 32)
    assert binomial_test(600, 500) == pytest.approx(0.00283, rel=0.01)  # normal approximation with continuity: 0.00284
    first, second = np.array([0, 1, 2, 0, 5]), np.array([1, 2, 2, 0, 0])
    assert sign_test(first, second) == 1.0
    assert mcnemar(first, second) == 1.0


def test_the_bootstrap_covers_what_the_normal_distribution_covers() -> None:
    generator = np.random.default_rng(1)
    lengths = generator.integers(5, 20, 2000)
    errors = generator.binomial(lengths, 0.1)
    interval = rate_interval(errors, lengths, by="utterance")
    rate = errors.sum() / lengths.sum()
    deviation = (
        np.sqrt(((errors - rate * lengths) ** 2).sum()) / lengths.sum()
    )  # of a ratio; Cochran 1977, section 2.11
    assert interval is not None
    assert interval.low == pytest.approx(rate - 1.96 * deviation, abs=0.1 * deviation)
    assert interval.high == pytest.approx(rate + 1.96 * deviation, abs=0.1 * deviation)
    found = difference(errors, errors + (generator.random(2000) < 0.05), lengths)
    assert found is not None
    assert found[0] > 0
    assert found[2] < 0.01


def test_speakers_are_drawn_as_a_whole() -> None:
    by_utterance, by_speaker = score(REFERENCE, SYSTEMS / "en-beam5.jsonl").intervals
    assert (by_utterance.by, by_speaker.by) == ("utterance", "speaker")
    assert by_speaker.low < by_utterance.low < by_utterance.high < by_speaker.high


def test_one_utterance_has_no_interval() -> None:
    assert score(["a b"], ["a c"]).intervals == ()


def test_the_effect_of_the_rules_leads_from_the_raw_to_the_normalised_rate() -> None:
    report = score(REFERENCE, SYSTEMS / "tiny.en.jsonl", normalizer="whisper-english")
    assert [effect.rule for effect in report.rules][:2] == ["lower case", "bracketed remarks"]
    assert (report.rules[-1].errors, report.rules[-1].rate) == (
        report.normalised.words.errors,
        report.normalised.words.rate,
    )
    assert report.rules[0].errors < report.raw.words.errors
    assert "lower case" in to_text(report)


def test_tables_hold_the_numbers_of_the_report() -> None:
    result = compare(
        REFERENCE, {name: SYSTEMS / f"{name}.jsonl" for name in ("en-beam1", "tiny.en")}, group_by="duration"
    )
    rows = list(csv.DictReader(to_csv(result).splitlines()))
    assert [row["system"] for row in rows if not row["group"]] == ["en-beam1", "tiny.en"]
    assert float(rows[0]["wer"]) == result.reports[0].normalised.words.rate
    assert {row["group"] for row in rows} == {"", "2 to 5 s", "5 to 10 s"}
    assert "| en-beam1 | 16.63 % |" in to_markdown(result)
    assert "No significant difference" in to_markdown(result)
    latex = to_latex(result)
    assert r"en-beam1 & 16.63 \% &" in latex
    assert latex.count("{") == latex.count("}")


def test_names_cannot_break_a_table() -> None:
    result = compare(["a"], {"50%_a|b&c": ["a"], "x": ["b"]})
    assert r"50\%\_a|b\&c &" in to_latex(result)
    assert r"| 50%_a\|b&c |" in to_markdown(result)


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("reference", "en-beam1", "en-beam5"):
        (tmp_path / f"{name}.jsonl").write_bytes((SYSTEMS / f"{name}.jsonl").read_bytes())
    path = tmp_path / "report.json"
    files = ["reference.jsonl", "en-beam1.jsonl", "en-beam5.jsonl"]
    assert run(["score", *files, "--json", str(path), "--group-by", "speaker,flags", "--costs", "sclite"]) == 0
    return path


def test_a_report_comes_out_again(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(report) == []
    assert run(["score", "--verify", str(report)]) == 0
    assert "every number comes out again" in capsys.readouterr().out
    stored = json.loads(report.read_text())["systems"][0]
    assert stored["provenance"]["options"]["costs"] == "sclite"
    assert len(stored["provenance"]["files"][0]["sha256"]) == 64


def test_verifying_tells_what_differs(report: Path) -> None:
    hypothesis = report.with_name("en-beam5.jsonl")
    hypothesis.write_text(hypothesis.read_text().replace("the", "a", 1))
    found = verify(report)
    assert found[0] == "en-beam5.jsonl: the file has changed since"
    assert any(line.startswith("systems[1].normalised.words.errors: ") for line in found)
    assert not any(line.startswith("systems[0]") for line in found)
    assert run(["score", "--verify", str(report)]) == 4


def test_what_cannot_be_verified_says_why(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(to_json(score(["a"], ["b"])))
    with pytest.raises(ScoringError, match="was made of texts in memory"):
        verify(path)
    path.write_text('{"version": 1}')
    with pytest.raises(ScoringError, match="has version 1 of the report's form, 2 is known"):
        verify(path)
    path.write_text("[]")
    with pytest.raises(ScoringError, match="is no report of asr-s2s score"):
        verify(path)


def test_a_rate_above_the_threshold_ends_with_status_4(capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(REFERENCE), str(SYSTEMS / "en-beam5.jsonl")]
    assert run(["score", *files, "--fail-above", "15.21"]) == 4
    assert "en-beam5: WER 15.21 % is above 15.21 %." in capsys.readouterr().err
    assert run(["score", *files, "--fail-above", "15.22"]) == 0


def test_a_threshold_is_not_met_by_references_without_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "e.jsonl").write_text('{"id": "a", "text": "", "pred_text": "made up words"}\n')
    assert run(["score", str(tmp_path / "e.jsonl"), "--fail-above", "5"]) == 4
    assert "e: no words to score against." in capsys.readouterr().err


@pytest.mark.parametrize("threshold", ["nan", "inf", "-1"])
def test_a_threshold_is_a_percentage(threshold: str) -> None:
    files = [str(REFERENCE), str(SYSTEMS / "en-beam5.jsonl")]
    assert run(["score", *files, "--fail-above", threshold]) == 2


def test_the_python_call_and_the_command_give_the_same_numbers(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    files = [str(REFERENCE), str(SYSTEMS / "tiny.en.jsonl")]
    assert run(["score", *files, "--json", str(path), "--csv", str(tmp_path / "r.csv")]) == 0
    stored = json.loads(path.read_text())
    again = json.loads(to_json(score(*files)))
    stored["provenance"].pop("command")
    again["provenance"].pop("command")
    assert stored == again
    assert (tmp_path / "r.csv").read_text() == to_csv(score(*files))


def test_no_files_and_files_beside_verify_are_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["score"]) == 2
    assert "no files were given" in capsys.readouterr().err
    assert run(["score", "a.jsonl", "--verify", "b.json"]) == 2
    assert "--verify takes the files from the report" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--json", "--csv", "--markdown", "--latex", "--html"])
def test_what_cannot_be_written_is_refused_before_any_work(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(REFERENCE), str(SYSTEMS / "tiny.en.jsonl")]
    for output, told in (
        (str(REFERENCE / "report"), r"report: cannot be written \(.*\)\. Name another file"),
        ("/dev/null", r"/dev/null: cannot be written \(it is a folder or a device\)\. Name another file"),
        (files[1], r"tiny\.en\.jsonl: is an input, or another output\. Name a file of its own"),
    ):
        assert run(["score", *files, option, output]) == 2
        printed = capsys.readouterr()
        assert re.search(told, printed.err)
        assert not printed.out


def test_a_difference_between_two_systems_is_told_from_chance() -> None:
    lengths = np.full(40, 10)
    worse, better = np.array([3, 2] * 20), np.array([1, 2] * 20)
    found = difference(worse, better, lengths)
    assert found is not None
    low, high, p = found
    assert low < -0.1 < high < 0
    assert p < 0.01
    mixed = np.array([3, 1] * 20), np.array([1, 3] * 20)
    assert (difference(*mixed, lengths) or (0, 0, 0))[2] > 0.3
    swapped = difference(better, worse, lengths)
    assert swapped is not None
    assert swapped[:2] == pytest.approx((-high, -low), abs=0.01)
    assert difference(np.array([1]), np.array([2]), np.array([3])) is None
