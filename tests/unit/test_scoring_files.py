"""Reading references and hypotheses, and pairing them: nothing is dropped in silence."""

import json
from pathlib import Path

import pytest

from asr_s2s.errors import ScoringError
from asr_s2s.scoring import ErrorRate, Report, score

pytestmark = pytest.mark.unit


def written(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def manifest(folder: Path, name: str, **texts: dict[str, str]) -> Path:
    lines = [json.dumps({"id": key, "audio_filepath": f"{key}.wav", **fields}) for key, fields in texts.items()]
    return written(folder, name, "\n".join(lines))


def words(report: Report) -> ErrorRate:
    return report.raw.words


def test_one_manifest_is_scored_against_itself(tmp_path: Path) -> None:
    path = manifest(
        tmp_path, "both.jsonl", a={"text": "one two", "pred_text": "one"}, b={"text": "six", "pred_text": "six"}
    )
    report = score(path)
    assert words(report) == ErrorRate(0, 1, 0, 3)
    assert (report.pairing.reference, report.pairing.hypothesis) == (f"{path} (text)", f"{path} (pred_text)")


def test_one_file_that_is_no_manifest_asks_for_the_other(tmp_path: Path) -> None:
    with pytest.raises(
        ScoringError, match=r"hyp\.trn: holds one side alone.*give two files: the reference, then the hyp"
    ):
        score(written(tmp_path, "hyp.trn", "one (a)\n"))


def test_two_manifests_are_joined_by_id_in_any_order(tmp_path: Path) -> None:
    reference = manifest(tmp_path, "ref.jsonl", a={"text": "one two"}, b={"text": "six"})
    hypothesis = manifest(tmp_path, "hyp.jsonl", b={"pred_text": "six"}, a={"pred_text": "one too"})
    assert words(score(reference, hypothesis)) == ErrorRate(1, 0, 0, 3)


def test_a_hypothesis_manifest_is_never_scored_by_its_own_references(tmp_path: Path) -> None:
    reference = manifest(tmp_path, "ref.jsonl", a={"text": "one two"})
    with pytest.raises(ScoringError, match=r"no line has 'pred_text'.*asr-s2s transcribe --manifest"):
        score(reference, reference)


def test_references_without_text_are_listed(tmp_path: Path) -> None:
    path = manifest(tmp_path, "both.jsonl", a={"pred_text": "x"}, b={"text": "x", "pred_text": "x"})
    with pytest.raises(ScoringError, match=r"1 of 2 utterances have no 'text'.*both\.jsonl:1 'a'\. Add what was said"):
        score(path)


def test_doubled_ids_in_a_manifest_are_counted_and_the_first_is_scored(tmp_path: Path) -> None:
    line = '{"id": "a", "audio_filepath": "a.wav", "text": "x", "pred_text": "x"}\n'
    report = score(written(tmp_path, "both.jsonl", line + line.replace('"x"}', '"y"}')))
    assert (report.pairing.doubled_references, report.pairing.doubled_hypotheses) == (("a",), ("a",))
    assert words(report) == ErrorRate(0, 0, 0, 1)


def test_broken_lines_of_a_manifest_are_listed_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, "both.jsonl", '{"id": "a", "text": "x", "pred_text": "x"}\n{"id": \n{"text": "x"}\n[]\n')
    with pytest.raises(
        ScoringError, match=r"(?s)3 lines cannot be used.*jsonl:2: is not valid JSON.*:3: has neither an 'id'"
    ):
        score(path)


def test_kaldi_text_is_told_by_its_name_or_by_its_ids(tmp_path: Path) -> None:
    reference = written(tmp_path, "text", "anna one two\nbob\n")
    hypothesis = written(tmp_path, "hyp.txt", "bob-1 six\nanna-1 one\n")
    with pytest.raises(ScoringError, match=r"No id is in both files.*has 2: anna, bob;.*has 2: bob-1, anna-1\. Give"):
        score(reference, hypothesis)
    report = score(written(tmp_path, "ref.txt", "anna-1 one two\nbob-1\n"), hypothesis)
    assert words(report) == ErrorRate(0, 1, 1, 2)
    assert report.pairing.by == "id"


def test_trn_is_told_by_the_ids_that_end_its_lines(tmp_path: Path) -> None:
    reference = written(tmp_path, "ref", "one (two) three (spk-1)\n(spk-2)\n")
    hypothesis = written(tmp_path, "hyp", "one three (spk-1)\nuh (spk-2)\n")
    assert words(score(reference, hypothesis)) == ErrorRate(0, 1, 1, 3)


def test_broken_lines_of_trn_are_listed_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, "ref.trn", "one (a)\ntwo\nsix (b)\nten\n")
    with pytest.raises(
        ScoringError,
        match=r"(?s)2 lines cannot be used.*trn:2: does not end with an id in brackets\. Write.*trn:4: does not",
    ):
        score(path, path)


def test_alternatives_of_sclite_are_refused_rather_than_scored_as_words(tmp_path: Path) -> None:
    path = written(tmp_path, "ref.trn", "{ uh / um } one (a)\n")
    with pytest.raises(ScoringError, match=r"not understood here\. Write one spelling"):
        score(path, path)


def test_plain_lines_are_paired_by_line_and_keep_blank_and_short_ones(tmp_path: Path) -> None:
    reference = written(tmp_path, "ref.txt", "one two\n\na\nsix\n")
    hypothesis = written(tmp_path, "hyp.txt", "one two\nuh\na\n\n")
    report = score(reference, hypothesis)
    assert report.pairing.by == "line"
    assert words(report) == ErrorRate(0, 1, 1, 4)
    assert report.empty_references == ("line 2",)


def test_plain_lines_may_end_as_in_windows_and_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    reference = written(tmp_path, "ref.txt", "\ufeffone two\r\nsix\r\n")
    assert words(score(reference, written(tmp_path, "hyp.txt", "one two\nsix"))) == ErrorRate(0, 0, 0, 3)


def test_a_different_number_of_plain_lines_is_refused(tmp_path: Path) -> None:
    reference, hypothesis = written(tmp_path, "ref.txt", "one\ntwo\n"), written(tmp_path, "hyp.txt", "one\n")
    with pytest.raises(ScoringError, match=r"ref\.txt has 2 lines and .*hyp\.txt has 1,.*files with ids"):
        score(reference, hypothesis)


def test_plain_lines_are_not_paired_with_ids(tmp_path: Path) -> None:
    reference = manifest(tmp_path, "ref.jsonl", a={"text": "one"})
    with pytest.raises(
        ScoringError, match=r"hyp\.txt holds plain lines without ids, but .*ref\.jsonl \(text\) has ids"
    ):
        score(reference, written(tmp_path, "hyp.txt", "one\n"))


def test_the_format_can_be_said_where_it_cannot_be_told(tmp_path: Path) -> None:
    reference = written(tmp_path, "ref.txt", "1990s music\n2020s films\n")
    hypothesis = written(tmp_path, "hyp.txt", "1990s music\n2000s films\n")
    assert words(score(reference, hypothesis, source_format="lines")) == ErrorRate(1, 0, 0, 4)
    with pytest.raises(ScoringError, match=r"may begin with ids \('1990s', '1990s'\) or with words.*--format lines"):
        score(reference, hypothesis)


def test_missing_extra_and_doubled_ids_are_counted_and_missing_words_are_deletions(tmp_path: Path) -> None:
    reference = written(tmp_path, "ref.trn", "one two (a)\nsix (b)\nten (c)\nten (c)\n")
    hypothesis = written(tmp_path, "hyp.trn", "six (b)\nsix six (b)\nten (c)\nwhat (d)\n")
    report = score(reference, hypothesis)
    assert report.pairing.missing == ("a",)
    assert report.pairing.extra == ("d",)
    assert report.pairing.doubled_references == ("c",)
    assert report.pairing.doubled_hypotheses == ("b",)
    assert words(report) == ErrorRate(0, 2, 0, 4)


def test_an_utterance_without_pred_text_is_missing_not_empty(tmp_path: Path) -> None:
    path = manifest(
        tmp_path,
        "both.jsonl",
        a={"text": "one two"},
        b={"text": "six", "pred_text": ""},
        c={"text": "", "pred_text": ""},
    )
    report = score(path)
    assert report.pairing.missing == ("a",)
    assert words(report) == ErrorRate(0, 3, 0, 3)


@pytest.mark.parametrize("name", ["ref.jsonl", "ref.txt", "ref.trn", "text"])
def test_an_empty_reference_file_is_refused(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, name, "")
    with pytest.raises(ScoringError, match="holds no references"):
        score(path, path)


def test_an_empty_hypothesis_file_with_ids_means_that_all_are_missing(tmp_path: Path) -> None:
    reference = written(tmp_path, "ref.trn", "one two (a)\n")
    report = score(reference, written(tmp_path, "hyp.trn", ""))
    assert report.pairing.missing == ("a",)
    assert words(report).rate == 1.0


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScoringError, match=r"nowhere\.trn: cannot be read \(No such file"):
        score(tmp_path / "nowhere.trn", tmp_path / "nowhere.trn")


def test_a_file_that_is_not_text_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "ref.txt"
    path.write_bytes(b"one\ntw\xff\n")
    with pytest.raises(ScoringError, match=r"ref\.txt:2: is not UTF-8 text\. Convert"):
        score(path, path)
