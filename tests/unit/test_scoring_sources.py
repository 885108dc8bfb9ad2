"""Tables, timed formats and several hypotheses: what is read, what is paired, what is said of the rest."""

import gzip
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from asr_s2s.errors import ScoringError
from asr_s2s.scoring import ErrorRate, compare, score, system_names, to_text

pytestmark = pytest.mark.unit


def written(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("references", "hypotheses", "said"),
    [
        ([1], [2], "text 1 is a int"),
        (["a", "b"], ["a", None], "text 2 is a NoneType"),
        ({"u": "a"}, {"u": ["a"]}, "text u is a list"),
        (b"a", b"a", "a bytes is no list of texts"),
        (5, 5, "a int is no list of texts"),
        (iter(["a"]), ["a"], "a list_iterator is no list of texts"),
    ],
)
def test_what_is_no_text_is_refused(references: Any, hypotheses: Any, said: str) -> None:
    with pytest.raises(ScoringError, match=f"^{said}. Give the name of a file"):
        score(references, hypotheses)
    with pytest.raises(ScoringError, match=f"^{said}"):
        compare(references, {"x": hypotheses})


def test_a_table_with_both_sides_is_scored_against_itself(tmp_path: Path) -> None:
    path = written(
        tmp_path, "both.csv", 'id,text,pred_text,speaker\na,"one, two\nthree",one two,x\nb,six,"six ""a""",y\n'
    )
    report = score(path, normalizer="none", group_by="speaker")
    assert report.normalised.words == ErrorRate(1, 1, 1, 4)
    assert [group.value for group in report.groupings[0].groups] == ["x", "y"]


def test_the_format_that_was_asked_for_holds_for_a_file_with_both_sides_too(tmp_path: Path) -> None:
    path = written(tmp_path, "both.trn", '{"id": "a", "text": "one two", "pred_text": "one"}\n')
    with pytest.raises(ScoringError, match="holds one side alone"):
        score(path)
    assert score(path, source_format="manifest").normalised.words == ErrorRate(0, 1, 0, 2)
    with pytest.raises(ScoringError, match="holds one side alone"):
        score(path, source_format="lines")


def test_tables_are_joined_by_their_ids(tmp_path: Path) -> None:
    reference = written(tmp_path, "ref.tsv", 'path\tsentence\na.mp3\the said "hm"\nb.mp3\tsix\n')
    hypothesis = written(tmp_path, "hyp.csv", "file,hypothesis\r\nb.mp3,six\r\na.mp3,he said\r\n")
    report = score(reference, hypothesis)
    assert report.normalised.words == ErrorRate(0, 1, 0, 4)
    assert report.pairing.by == "id"


def test_a_table_without_ids_is_paired_by_line_and_that_is_said(tmp_path: Path) -> None:
    report = score(written(tmp_path, "ref.csv", "text\none\n\ntwo\n"), written(tmp_path, "hyp.csv", "text\none\ntoo\n"))
    assert report.pairing.by == "line"
    assert report.raw.words == ErrorRate(1, 0, 0, 2)
    assert "Paired by line" in to_text(report)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,words\na,one\n", r"has the columns id, words, none of them with a reference\. Name one of them 'text'"),
        (
            "id,text,reference\na,one,two\n",
            "any of the columns text, reference may be the reference. Rename all but one",
        ),
        ("id,text,hyp,pred_text\na,a,b,c\n", "any of the columns pred_text, hyp may be the hypothesis. Rename all but"),
        ("id,text\na,one,two\n", r"ref\.csv:2: has 3 cells under 2 names\. Quote cells"),
    ],
)
def test_a_table_that_cannot_be_read_says_why(tmp_path: Path, content: str, message: str) -> None:
    path = written(tmp_path, "ref.csv", content)
    with pytest.raises(ScoringError, match=message):
        score(path, path)


def test_one_table_with_two_columns_of_one_side_names_them(tmp_path: Path) -> None:
    with pytest.raises(ScoringError, match=r"any of the columns text, reference may be the reference"):
        score(written(tmp_path, "both.csv", "text,reference,hypothesis\na,b,c\n"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", '{"id": "u", "text": "a", "pred_text": "x", "pred_text": "b"}'),
        ("a.json", '[{"session_id": "r", "words": "a", "words": "b"}]'),
        ("a.json", '{"segments": [{"text": "a", "text": "b"}]}'),
    ],
)
def test_a_doubled_key_is_named(tmp_path: Path, name: str, content: str) -> None:
    path = written(tmp_path, name, content)
    with pytest.raises(ScoringError, match=r"has the key '(pred_text|words|text)' several times"):
        score(path, path)


def test_a_packed_file_says_how_to_unpack_it(tmp_path: Path) -> None:
    path = tmp_path / "hyp.trn.gz"
    path.write_bytes(gzip.compress(b"one (a)\n"))
    with pytest.raises(ScoringError, match=r"hyp\.trn\.gz: is packed with gzip.*<\(zcat .*hyp\.trn\.gz\)"):
        score(written(tmp_path, "ref.trn", "one (a)\n"), path)


STM = """;; a comment
rec A anna 0.0 2.0 <o,f0,female> one two
rec A anna 3.0 5.0 <o,f0,female> three four
rec A bob 5.0 6.0 <o,f0,male> IGNORE_TIME_SEGMENT_IN_SCORING
rec A anna 7.0 8.0 five
rec2 A carl 7.0 8.0 five
"""
CTM = """rec A 0.1 0.5 one 0.9
rec A 1.8 0.3 two 0.9
rec A 2.2 0.2 gapa
rec A 2.6 0.2 gapb
rec A 2.9 0.4 three
rec A 4.0 0.4 four
rec A 5.5 0.4 ignored
rec A 6.5 0.4 gapc
rec A 7.1 0.4 five
rec A 9.1 0.4 after
"""


def test_stm_and_ctm_are_paired_by_time_as_sclite_pairs_them(tmp_path: Path) -> None:
    report = score(
        written(tmp_path, "ref.stm", STM), written(tmp_path, "hyp.ctm", CTM), normalizer="none", keep_utterances=True
    )
    # sclite 2.4.12 -r ref.stm stm -h hyp.ctm ctm -o pra gives these scores, segment by segment
    assert [each.words for each in report.utterances] == [
        ErrorRate(0, 0, 0, 2),
        ErrorRate(0, 0, 2, 2),
        ErrorRate(0, 0, 2, 1),
        ErrorRate(0, 1, 0, 1),
    ]
    assert report.pairing.by == "time"
    assert "1 segments are marked IGNORE_TIME_SEGMENT_IN_SCORING" in to_text(report)


@pytest.mark.parametrize("label", ["", "<o,f0,male> "])
def test_segments_are_marked_as_not_to_be_scored_in_any_case(tmp_path: Path, label: str) -> None:
    ignored = f"rec 1 s 2.0 4.0 {label}ignore_time_segment_in_scoring\n"
    stm = f"rec 1 s 0.0 2.0 hello world\n{ignored}rec 1 s 4.0 6.0 good bye\n"
    ctm = "rec 1 0.1 0.5 hello\nrec 1 0.7 0.5 world\nrec 1 2.5 0.5 noise\nrec 1 4.2 0.3 good\nrec 1 5.0 0.3 buy\n"
    report = score(written(tmp_path, "a.stm", stm), written(tmp_path, "a.ctm", ctm))
    assert report.raw.words == ErrorRate(1, 0, 0, 4)  # sclite 2.4.12: 25 %


@pytest.mark.parametrize("said", ["{ i am / i'm } here", "{uh/@} here", "{ here } now"])
def test_alternatives_are_refused_in_every_format_that_may_hold_them(tmp_path: Path, said: str) -> None:
    seglst = json.dumps([{"session_id": "r", "words": said}])
    for name, content in (("a.stm", f"r 1 s 0 2 {said}\n"), ("a.trn", f"{said} (r)\n"), ("a.json", seglst)):
        path = written(tmp_path, name, content)
        with pytest.raises(
            ScoringError, match=r"not understood here\. Write one spelling|is no SegLST: segment 1 holds"
        ):
            score(path, path)


def test_names_of_recordings_count_in_any_case_and_those_that_share_none_are_refused(tmp_path: Path) -> None:
    stm = written(tmp_path, "a.stm", "Rec A s 0 2 a b\nother A s 0 2 c\n")
    report = score(stm, written(tmp_path, "a.ctm", "rec a 0.1 0.1 a\nrec a 0.5 0.1 b\n"))
    assert report.raw.words == ErrorRate(0, 1, 0, 3)
    assert report.pairing.missing == ("other-A-0.000-2.000",)
    with pytest.raises(ScoringError, match=r"No id is in both files.*rec-1\."):
        score(stm, written(tmp_path, "b.ctm", "rec 1 0.1 0.1 a\n"))


@pytest.mark.parametrize(
    ("segment", "fault"),
    [
        ('{"session_id": "r", "words": ["a"]}', "segment 1 has 'words' \\['a'\\], not a string"),
        ('{"session_id": "r"}', "segment 1 has 'words' None"),
        ('{"words": "a"}', "segment 1 has 'session_id' None"),
        ('{"session_id": "r", "words": "a", "start_time": NaN}', "segment 1 has times that are no seconds"),
        ('{"session_id": "r", "words": "a"}, 5', "segment 2 is 5, not an object"),
    ],
)
def test_segments_of_another_form_are_named(tmp_path: Path, segment: str, fault: str) -> None:
    path = written(tmp_path, "a.json", f"[{segment}]")
    with pytest.raises(ScoringError, match=f"is no SegLST: {fault}"):
        score(path, path)


def test_sessions_may_be_named_by_numbers(tmp_path: Path) -> None:
    reference = written(tmp_path, "a.json", '[{"session_id": 1, "words": "a b", "speaker": 2}]')
    assert score(reference, written(tmp_path, "b.trn", "a x (1)\n")).raw.words == ErrorRate(1, 0, 0, 2)


def test_a_ctm_is_joined_by_recording_where_the_reference_has_no_times(tmp_path: Path) -> None:
    words = "one two gapa gapb three four ignored gapc five after"
    report = score(written(tmp_path, "ref.trn", f"{words} (rec)\n"), written(tmp_path, "hyp.ctm", CTM))
    assert report.raw.words == ErrorRate(0, 0, 0, 10)


def test_channels_are_recordings_of_their_own_where_there_are_several(tmp_path: Path) -> None:
    hypothesis = written(tmp_path, "hyp.ctm", "rec A 0 1 one\nrec B 0 1 two\n")
    report = score(written(tmp_path, "ref.trn", "two (rec-B)\none (rec-A)\n"), hypothesis)
    assert report.raw.words == ErrorRate(0, 0, 0, 2)


def test_two_stm_files_are_joined_by_recording_and_what_is_not_scored_is_said(tmp_path: Path) -> None:
    hypothesis = written(tmp_path, "hyp.stm", "rec A x 0 8 one two three four five\nrec2 A x 7 8 fife\n")
    report = score(written(tmp_path, "ref.stm", STM), hypothesis)
    assert report.raw.words == ErrorRate(1, 0, 0, 6)
    assert "1 segments are marked IGNORE_TIME_SEGMENT_IN_SCORING and not scored." in to_text(report)


def test_broken_lines_of_ctm_are_listed(tmp_path: Path) -> None:
    with pytest.raises(ScoringError, match=r"hyp\.ctm:1: 'rec A one' cannot be read\. Write recording, channel, start"):
        score(written(tmp_path, "ref.stm", STM), written(tmp_path, "hyp.ctm", "rec A one\n"))


@pytest.mark.parametrize("behind", ["there", "nan"])
def test_a_second_word_on_a_line_of_ctm_is_not_dropped(tmp_path: Path, behind: str) -> None:
    hypothesis = written(tmp_path, "hyp.ctm", f"rec A 0.1 0.5 one NA\nrec A 1 1 hello {behind}\n")
    with pytest.raises(ScoringError, match=rf"hyp\.ctm:2: has '{behind}' behind its word, where a confidence"):
        score(written(tmp_path, "ref.stm", STM), hypothesis)


@pytest.mark.parametrize(
    "said", ["ignore_time_segment_in_scoring foo", "<o,f0,male> foo IGNORE_TIME_SEGMENT_IN_SCORING"]
)
def test_text_beside_the_mark_of_a_segment_that_is_not_scored_is_an_error(tmp_path: Path, said: str) -> None:
    reference = written(tmp_path, "ref.stm", f"rec A s 0 2 one\nrec A s 2 4 {said}\n")
    with pytest.raises(ScoringError, match=r"ref\.stm:2: has text beside IGNORE_TIME_SEGMENT_IN_SCORING\. Remove"):
        score(reference, written(tmp_path, "hyp.ctm", "rec A 0.1 0.5 one\n"))


def test_seglst_is_joined_by_session_in_the_order_of_time(tmp_path: Path) -> None:
    segments = [
        {"session_id": "s", "speaker": "x", "start_time": 2, "end_time": 3, "words": "three"},
        {"session_id": "s", "speaker": "y", "start_time": 0, "end_time": 2, "words": "one two"},
    ]
    reference = written(tmp_path, "ref.json", json.dumps(segments))
    whole = [{"session_id": "s", "start_time": 0, "end_time": 3, "words": "one two three"}]
    report = score(reference, written(tmp_path, "hyp.seglst.json", json.dumps(whole)))
    assert report.raw.words == ErrorRate(0, 0, 0, 3)
    with pytest.raises(ScoringError, match=r"ref\.json: is no SegLST"):
        score(written(tmp_path, "ref.json", '[{"words": "one"}]'), reference)


def test_missing_hypotheses_can_be_left_out_and_the_report_says_so(tmp_path: Path) -> None:
    references, hypotheses = {"a": "one two", "b": "six"}, {"b": "six"}
    assert score(references, hypotheses).raw.words == ErrorRate(0, 2, 0, 3)
    report = score(references, hypotheses, missing="skip")
    assert report.raw.words == ErrorRate(0, 0, 0, 1)
    assert (report.pairing.num_references, report.pairing.num_scored, report.pairing.missing) == (2, 1, ("a",))
    assert "Missing hypotheses, left out as asked for: 1 (a)" in to_text(report)
    with pytest.raises(ScoringError, match=r"cannot be 'drop'. Known: deletions, skip"):
        score(references, hypotheses, missing="drop")  # type: ignore[arg-type]


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (0, 1, 3, 2), (0, 2)])
def test_the_order_of_the_hypotheses_does_not_matter(tmp_path: Path, order: tuple[int, ...]) -> None:
    lines = ["one two (u-0)\n", "six (u-1)\n", "ten (u-2)\n", "four five (u-3)\n"]
    reference = written(tmp_path, "ref.trn", "".join(lines))
    report = score(reference, written(tmp_path, "hyp.trn", "".join(lines[at] for at in order)), keep_utterances=True)
    left_out = {0, 1, 2, 3} - set(order)
    assert report.pairing.missing == tuple(f"u-{at}" for at in sorted(left_out))
    assert [each.id for each in report.utterances] == ["u-0", "u-1", "u-2", "u-3"]
    assert all(bool(each.words.errors) == (at in left_out) for at, each in enumerate(report.utterances))


def test_more_hypothesis_lines_than_reference_lines_are_refused(tmp_path: Path) -> None:
    reference, hypothesis = written(tmp_path, "ref.txt", "one\ntwo\n"), written(tmp_path, "hyp.txt", "one\n\ntwo\n")
    with pytest.raises(ScoringError, match=r"ref\.txt has 2 lines and .*hyp\.txt has 3.*--format text compares"):
        score(reference, hypothesis)
    assert score(reference, hypothesis, source_format="text").raw.words.errors == 0


def test_systems_are_read_beside_each_other_whatever_their_format_and_order(tmp_path: Path) -> None:
    reference = written(tmp_path, "text", "u-1 one two\nu-2 six\n")
    first = written(tmp_path, "first.trn", "six (u-2)\none too (u-1)\n")
    second = written(tmp_path, "second.csv", "id,text\nu-1,one two\n")
    result = compare(reference, {"first": first, "second": second})
    assert [report.raw.words for report in result.reports] == [ErrorRate(1, 0, 0, 3), ErrorRate(0, 1, 0, 3)]


def test_systems_are_named_as_briefly_as_tells_them_apart() -> None:
    assert system_names([Path("a/x.trn"), Path("b/y.trn")]) == ["x", "y"]
    assert system_names([Path("a/hyp.trn"), Path("b/hyp.trn")]) == ["a/hyp", "b/hyp"]
    assert system_names([Path("hyp.trn"), Path("hyp.trn")]) == ["hyp (1)", "hyp (2)"]


def most_held(folder: Path, count: int) -> int:
    said = " ".join(["word"] * 40)
    reference = written(folder, "ref.trn", "".join(f"{said} (u-{at:07d})\n" for at in range(count)))
    hypothesis = written(folder, "hyp.trn", "".join(f"{said} (u-{at:07d})\n" for at in reversed(range(count))))
    tracemalloc.start()
    report = score(reference, hypothesis, normalizer="none")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert report.pairing.num_scored == count
    return most


def test_joining_holds_ids_and_at_most_200_bytes_an_utterance(tmp_path: Path) -> None:
    """An id of 9 characters takes 58 bytes, its text 248."""
    score(["warm"], ["up"])
    assert (most_held(tmp_path, 8000) - most_held(tmp_path, 2000)) / 6000 < 58 + 200
