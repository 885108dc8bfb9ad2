"""The report: its numbers, its two views, and what it must not load."""

import inspect
import json
import pydoc
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jiwer
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asr_s2s.errors import ScoringError
from asr_s2s.scoring import ErrorRate, ScoreOptions, compare, score, system_names, to_json, to_text
from asr_s2s.scoring.report import Confusion

pytestmark = pytest.mark.unit

# A busy machine is no fault of the code.
calm = settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])

ROOT = Path(__file__).parents[2]
REAL = ROOT / "tests" / "data" / "scoring" / "commonvoice.jsonl"

texts = st.lists(st.sampled_from(["a", "B", "b.", "cat", "Cat"]), max_size=6).map(" ".join)


@calm
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=6))
def test_the_report_is_the_sum_of_its_utterances(pairs: list[tuple[str, str]]) -> None:
    references, hypotheses = zip(*pairs, strict=True)
    report = score(references, hypotheses)
    alone = [score([reference], [hypothesis]) for reference, hypothesis in pairs]
    for side in ("raw", "normalised"):
        whole, parts = getattr(report, side), [getattr(part, side) for part in alone]
        assert whole.words == sum((part.words for part in parts), ErrorRate())
        assert whole.characters == sum((part.characters for part in parts), ErrorRate())
        assert whole.wrong_sentences == sum(part.wrong_sentences for part in parts)
        assert whole.sentences == len(pairs)


@calm
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=6))
def test_the_lists_hold_every_error_once(pairs: list[tuple[str, str]]) -> None:
    report = score(*zip(*pairs, strict=True))
    counted = report.normalised.words
    assert sum(edit.count for edit in report.confusions) == counted.substitutions
    assert sum(edit.count for edit in report.deletions) == counted.deletions
    assert sum(edit.count for edit in report.insertions) == counted.insertions
    assert sum(scored.words.errors for scored in report.worst) == counted.errors


def test_real_output_gets_the_rates_of_jiwer() -> None:
    lines = [json.loads(line) for line in REAL.read_text(encoding="utf-8").splitlines()]
    references, hypotheses = ([line[name] for line in lines] for name in ("text", "pred_text"))
    report = score(REAL)
    assert report.raw.words.rate == pytest.approx(jiwer.wer(references, hypotheses))  # jiwer 4.0
    assert report.raw.characters.rate == pytest.approx(jiwer.cer(references, hypotheses))


def test_raw_and_normalised_rates_stand_side_by_side_with_the_normalizer_named() -> None:
    report = score(["Don't stop, Anna!", "colour"], ["do not stop anna", "color"], normalizer="whisper-english")
    assert report.raw.words == ErrorRate(4, 0, 1, 4)
    assert report.normalised.words == ErrorRate(0, 0, 0, 5)
    assert report.raw.sentence_error_rate == 1.0
    assert report.normalised.sentence_error_rate == 0.0
    text = " ".join(to_text(report).split())
    assert "Normalizer whisper-english (whisper-normalizer " in text
    assert "WER raw 125.00 % 5 4 0 1 4 words" in text
    assert "WER normalised 0.00 % 0 0 0 0 5 words" in text


def test_an_unknown_normalizer_names_the_known_ones() -> None:
    with pytest.raises(ScoringError, match="Known: none, basic, whisper-english"):
        score(["a"], ["a"], normalizer="whisper")


def test_empty_references_are_shown_and_their_words_are_insertions() -> None:
    report = score({"a": "", "b": "[noise]", "c": "one"}, {"a": "uh huh", "b": "", "c": "one"})
    assert report.empty_references == ("a",)
    assert report.emptied_references == ("b",)
    assert report.normalised.words == ErrorRate(0, 0, 2, 1)
    text = to_text(report)
    assert "Empty references, what was recognised there counted as insertions: 1 (a)" in text
    assert "References without words after normalising: 1 (b)" in text


def test_without_any_reference_words_there_is_a_dash_and_null_for_the_rate() -> None:
    report = score([""], ["uh"])
    assert report.raw.words.rate is None
    assert json.loads(to_json(report))["raw"]["words"]["rate"] is None
    assert "WER  raw                -" in to_text(report)


def test_the_commonest_errors_come_first() -> None:
    report = score(["a cat a dog", "a cat", "the the"], ["the cat the dog", "the bat", "the the uh"])
    assert report.confusions == (Confusion("a", "the", 3), Confusion("cat", "bat", 1))
    assert report.insertions == (Confusion(None, "uh", 1),)
    assert report.deletions == ()


def test_the_worst_utterances_come_first_and_are_bounded() -> None:
    references = {f"u{number}": " ".join("abcdefghijklmnopqrstuvwxyz"[:number]) for number in range(1, 26)}
    report = score(references, dict.fromkeys(references, ""))
    assert [scored.id for scored in report.worst] == [f"u{number}" for number in range(25, 5, -1)]


def test_mappings_are_paired_by_id_and_report_what_does_not_fit() -> None:
    report = score({"a": "one", "b": "two"}, {"b": "two", "c": "six"})
    assert (report.pairing.missing, report.pairing.extra) == (("a",), ("c",))
    assert "Missing hypotheses, their words counted as deletions: 1 (a)" in to_text(report)
    assert "Extra hypotheses without a reference, not scored: 1 (c)" in to_text(report)


def test_a_mapping_and_a_list_are_refused() -> None:
    with pytest.raises(ScoringError, match="Give two mappings or two lists"):
        score({"a": "one"}, ["one"])


def test_keywords_that_do_not_exist_and_texts_without_a_list_are_refused() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'normaliser'"):
        score(["a"], ["a"], normaliser="none")  # type: ignore[call-arg]
    with pytest.raises(ScoringError, match=r"'the cat' is no file\. Name one; texts themselves are given in lists"):
        score("the cat", "the hat")


def test_groups_sum_to_the_whole() -> None:
    report = score(REAL, group_by="speaker")
    groups = report.groupings[0].groups
    assert len(groups) > 1
    assert sum((group.raw.words for group in groups), ErrorRate()) == report.raw.words
    assert groups[0].value in to_text(report)


def test_a_field_that_no_line_has_is_refused_with_those_there() -> None:
    with pytest.raises(ScoringError, match=r"no line has the field 'speakr'.*language, license, source, speaker"):
        score(REAL, group_by="speakr")


def test_alignments_mark_errors_below_the_words_and_wrap_at_the_width() -> None:
    text = to_text(score({"u1": "the cat sat on mat"}, {"u1": "the bat sat on a mat"}), width=34)
    assert (
        "u1: 2 errors in 5 words\n"
        "  reference   the cat sat on *\n"
        "  hypothesis  the bat sat on a\n"
        "                  S          I\n"
        "  reference   mat\n"
        "  hypothesis  mat\n"
    ) in text


def test_wide_characters_keep_the_columns() -> None:
    text = to_text(score({"u1": "你好 dog"}, {"u1": "cat dog"}))
    assert "  reference   你好 dog\n  hypothesis  cat  dog\n              S\n" in text


def test_a_transcript_cannot_steer_the_terminal() -> None:
    text = to_text(score({"\x1b[2J": "one"}, {"\x1b[2J": "\x1b]0;title\x07 \u202ereversed"}, normalizer="none"))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\u202e" not in text
    assert r"\x1b]0;title\x07" in text


def test_the_json_holds_counts_lists_and_alignments() -> None:
    report = json.loads(to_json(score({"u1": "a cat", "u2": "one"}, {"u1": "the cat"}, normalizer="none")))
    assert report["version"] == 2
    assert report["normalizer"] == {"name": "none", "version": "1"}
    assert report["raw"]["words"] == {
        "rate": 2 / 3,
        "errors": 2,
        "substitutions": 1,
        "deletions": 1,
        "insertions": 0,
        "correct": 1,
        "reference_length": 3,
        "hypothesis_length": 2,
        "match_error_rate": 2 / 3,
        "information_lost": pytest.approx(5 / 6),
        "information_preserved": pytest.approx(1 / 6),
    }
    assert report["raw"]["sentences"] == {"rate": 1.0, "errors": 2, "reference_length": 2}
    assert report["missing_hypotheses"] == ["u2"]
    assert report["confusions"] == {"kinds": 1, "commonest": [{"reference": "a", "hypothesis": "the", "count": 1}]}
    assert report["worst_utterances"][0]["id"] == "u2"
    assert report["worst_utterances"][1]["alignment"] == [
        {"kind": "substitution", "reference": "a", "hypothesis": "the"},
        {"kind": "correct", "reference": "cat", "hypothesis": "cat"},
    ]


def test_the_tutorial_shows_what_is_really_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    tutorial = (ROOT / "docs" / "score.md").read_text(encoding="utf-8")
    path = REAL.relative_to(ROOT)
    systems = path.parent / "systems"
    paths = [systems / f"{name}.jsonl" for name in ("en-beam1", "en-beam5", "tiny.en")]
    compared = compare(
        systems / "reference.jsonl",
        dict(zip(system_names(paths), paths, strict=True)),
        normalizer="whisper-english",
        group_by="duration",
    )
    alone = score(systems / "reference.jsonl", paths[1], normalizer="whisper-english")
    grouped = score(path, normalizer="whisper-english", group_by="speaker")
    printed = "\n".join(map(to_text, (grouped, compared, alone)))
    for code in re.findall(r"```python\n(.*?)```", tutorial, re.DOTALL):
        exec(code, {})  # noqa: S102 - our own tutorial
    printed += "\n" + capsys.readouterr().out
    shown = re.findall(r"```text\n(.*?)\n```", tutorial, re.DOTALL)
    assert len(shown) == 7
    version = re.compile(r"whisper-normalizer [\d.]+")  # a release that changes no number needs no new tutorial
    for paragraph in version.sub("", "\n\n".join(shown)).split("\n\n"):
        assert paragraph in version.sub("", printed)


def test_scoring_loads_no_torch() -> None:
    code = "import sys, asr_s2s.scoring, asr_s2s.transcripts; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("function", [score, compare])
def test_options_are_the_fields_of_one_class_for_help_and_signature(function: Callable[..., object]) -> None:
    fields = inspect.signature(ScoreOptions).parameters
    shown = inspect.signature(function).parameters
    assert list(shown)[2:] == list(fields)
    assert all(shown[name] == field for name, field in fields.items())
    assert "missing: how to count references without a hypothesis" in pydoc.render_doc(function)


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ({"missing": "delete"}, r"missing cannot be 'delete'\. Known: deletions, skip"),
        ({"costs": "nist"}, r"costs cannot be 'nist'\. Known: unit, sclite"),
        ({"source_format": "xml"}, r"source_format cannot be 'xml'\. Known: manifest"),
        ({"bleu": "yes"}, "bleu must be True or False"),
        ({"keywords": "York"}, "keywords must be a list of strings or one Path"),
        ({"group_by": 3}, "group_by must be"),
    ],
)
def test_a_value_that_an_option_cannot_have_is_refused_by_its_name(option: dict[str, Any], told: str) -> None:
    with pytest.raises(ScoringError, match=told):
        score(["a"], ["a"], **option)
