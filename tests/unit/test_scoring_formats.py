"""What a file is taken for: where ids and words cannot be told apart, nothing is assumed."""

import json
from pathlib import Path

import pytest

from asr_s2s.errors import ScoringError
from asr_s2s.manifest import Word
from asr_s2s.scoring import ErrorRate, compare, score, to_json, verify
from asr_s2s.transcripts import FORMATS, Segment, Transcript

pytestmark = pytest.mark.unit

ONE, OTHER = "hello world", "good morning"
PEOPLE = "".join(f"{number} people came to a\n" for number in range(3, 15))


def rate_of(folder: Path, reference: str, hypothesis: str) -> tuple[str, int, int]:
    for name, content in (("r.txt", reference), ("h.txt", hypothesis)):
        (folder / name).write_text(content, encoding="utf-8")
    report = score(folder / "r.txt", folder / "h.txt", normalizer="none")
    return report.pairing.by, report.raw.words.errors, report.raw.words.reference_length


@pytest.mark.parametrize(
    ("reference", "hypothesis", "found"),
    [
        # words, whose first ones hold digits
        ("wo3 men5 qu4\nta1 shi4 lao3\nwo3 ai4 ni3\n", "wo3 men5 qu4\nta1 shi4 lao3\nwo3 ai4 ta1\n", ("line", 1, 9)),
        ("nei5 hou2\nngo5 dei6\n", "nei5 hou2\nngo5 dei5\n", ("line", 1, 4)),
        ("2024 was good\n2024 was bad\n", "2024 was good\n2024 was sad\n", ("line", 1, 6)),
        ("2024 was good\n", "twenty four was good\n", ("line", 2, 3)),
        ("3 4 5\n7 8 1\n", "3 4 5\n7 8 2\n", ("line", 1, 6)),
        ("1\n2\n", "2\n1\n", ("line", 2, 2)),
        ("yes\nno\n", "no\nyes\n", ("line", 2, 2)),
        ("24 hours\n7 days\n", "24 hour\nseven days\n", ("line", 2, 4)),
        # ids
        (f"utt001 {ONE}\nutt002 {OTHER}\n", f"utt002 {OTHER}\nutt001 {ONE}\n", ("id", 0, 4)),
        (f"u-1 {ONE}\nu-2 {OTHER}\n", f"u-1 {ONE}\nu-2 {OTHER}\n", ("id", 0, 4)),
        ("u-1 3 4 5\nu-2 7 8 1\n", "u-1 3 4 5\nu-2 7 8 2\n", ("id", 1, 6)),
        (f"84-121123-0000 {ONE}\n", f"84-121123-0000 {OTHER}\n", ("id", 2, 2)),
        (f"faks0_sx223 {ONE}\nmdab0_si1 {OTHER}\n", f"faks0_sx223 {ONE}\nmdab0_si1 {OTHER}\n", ("id", 0, 4)),
    ],
)
def test_first_words_are_ids_where_they_can_be_nothing_else(
    tmp_path: Path, reference: str, hypothesis: str, found: tuple[str, int, int]
) -> None:
    assert rate_of(tmp_path, reference, hypothesis) == found


@pytest.mark.parametrize(
    ("reference", "hypothesis"),
    [
        ("2024 was good\n2025 was bad\n", "2024 was good\n2025 was sad\n"),
        ("2023 was bad for us\n2024 was good for me\n", "2024 was bad for us\n2023 was good for me\n"),
        (PEOPLE, PEOPLE.replace("5 people", "9 people")),
        (PEOPLE, PEOPLE.replace("5 people", "500 people")),
        ("80s music\n90s films\n70s songs\n", "80s music\n90s films\n70s song\n"),
        ("2020-21 was bad\n2021-22 was good\n", "2020-21 was bad\n2021-22 was food\n"),
        ("mid-1990s music\npre-1945 films\n", "mid-1990s music\npre-1945 film\n"),
        ("F-16 is fast\nF-18 is slow\n", "F-18 is fast\nF-16 is slow\n"),
        (f"u1 {ONE}\nu2 {OTHER}\n", f"u2 {OTHER}\nu1 {ONE}\n"),
        (f"1 {ONE}\n2 {OTHER}\n", f"2 {OTHER}\n1 {ONE}\n"),
        ("24-hour service\n7-day week\n", "24-hour services\n7-day week\n"),
        ("covid-19 is bad\n", "covid-19 is sad\n"),
        ("A1 is closed\nB2 is open\n", "A1 is closed\nB2 was open\n"),
        (f"u-1 {ONE}\nu-2 {OTHER}\n", f"{ONE}\n{OTHER}\n"),
        (f"u-1 {ONE}\nu-1 {OTHER}\n", f"u-1 {ONE}\nu-1 {OTHER}\n"),
        (f"anna {ONE}\nbob {OTHER}\n", f"bob {OTHER}\nanna {ONE}\n"),
    ],
)
def test_where_first_words_may_be_ids_or_words_the_user_is_asked(
    tmp_path: Path, reference: str, hypothesis: str
) -> None:
    with pytest.raises(ScoringError, match=r"may begin with ids .* or with words.*--format kaldi or --format lines"):
        rate_of(tmp_path, reference, hypothesis)


def test_remarks_in_brackets_are_not_taken_for_ids(tmp_path: Path) -> None:
    assert rate_of(tmp_path, "a b (laughs)\nc (laughs)\n", "a b (laughs)\nd (laughs)\n") == ("line", 1, 5)
    with pytest.raises(ScoringError, match=r"'\(laughs\)', which may be an id or a remark.*--format trn"):
        rate_of(tmp_path, "a b (laughs)\nc (coughs)\n", "a b\nd\n")


SEGMENTS = (
    Segment(0.0, 1.2, "one two", (Word("one", 0.0, 0.5), Word("two", 0.6, 1.1))),
    Segment(1.5, 2.0, "3 < 4", (Word("3", 1.5, 1.6), Word("<", 1.6, 1.7), Word("4", 1.7, 1.9))),
    Segment(2.5, 3.0, "six", (Word("six", 2.5, 3.0),)),
)
TRANSCRIPT = Transcript(SEGMENTS, duration=3.5, audio_path="talk.wav")


def transcript_as(folder: Path, name: str) -> Path:
    """Write the transcript in a format as `asr-s2s transcribe` does."""
    folder.mkdir(exist_ok=True)
    path = folder / f"talk{FORMATS[name].suffix}"
    path.write_text(FORMATS[name].write(TRANSCRIPT), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("reference", ["talk.txt", "said.txt"])
def test_what_transcribe_writes_is_scored_against_one_plain_text(tmp_path: Path, name: str, reference: str) -> None:
    (tmp_path / reference).write_text("one two 3 < 4 seven\n")
    report = score(tmp_path / reference, transcript_as(tmp_path / "out", name), normalizer="none")
    assert report.raw.words == ErrorRate(1, 0, 0, 6)
    names_differ = any("names differ: said, talk" in remark for remark in report.pairing.remarks)
    assert names_differ == (reference == "said.txt")


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("jsonl", "trn")])
@pytest.mark.parametrize("other", ["srt", "vtt", "textgrid", "json", "tsv", "seglst"])
def test_what_transcribe_writes_is_scored_against_any_other_format_of_it(tmp_path: Path, name: str, other: str) -> None:
    paths = transcript_as(tmp_path / "corrected", other), transcript_as(tmp_path / "out", name)
    assert score(*paths, normalizer="none").raw.words == ErrorRate(reference_length=6)


@pytest.mark.parametrize("name", ["txt", "srt", "vtt", "textgrid", "json"])
def test_folders_are_paired_by_the_names_of_their_files(tmp_path: Path, name: str) -> None:
    reference = transcript_as(tmp_path / "corrected", "txt").parent
    (reference / "other").mkdir()
    (reference / "other" / "talk.txt").write_text("ten\n")
    hypothesis = transcript_as(tmp_path / "out", name).parent
    report = score(reference, hypothesis, normalizer="none")
    assert (report.raw.words, report.pairing.missing) == (ErrorRate(0, 1, 0, 7), ("other/talk",))
    report_file = tmp_path / "report.json"
    report_file.write_text(to_json(report))
    assert verify(report_file) == []
    (reference / "talk.txt").write_text("one\n")
    assert f"{reference}: the file has changed since" in verify(report_file)


def test_two_texts_of_one_recording_in_a_folder_are_refused(tmp_path: Path) -> None:
    folder = transcript_as(tmp_path / "out", "srt").parent
    transcript_as(folder, "txt")
    assert score(folder, folder).raw.words.errors == 0
    (folder / "talk.txt").write_text("one\n")
    with pytest.raises(ScoringError, match=r"talk\.txt: its text is another than that of talk\.srt"):
        score(folder, folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ScoringError, match="no transcript is in this folder"):
        score(tmp_path / "empty", folder)


def test_a_text_grid_in_utf_16_as_praat_saves_it_is_read(tmp_path: Path) -> None:
    path = transcript_as(tmp_path, "textgrid")
    path.write_bytes(path.read_text(encoding="utf-8").replace("six", "größer").encode("utf-16"))
    (tmp_path / "r.txt").write_text("one two 3 < 4 größer\n")
    assert score(tmp_path / "r.txt", path, normalizer="none").raw.words.errors == 0


def test_captions_without_a_name_are_known_by_their_times(tmp_path: Path) -> None:
    for name, other in (("h", "srt"), ("g", "vtt")):
        (tmp_path / name).write_text(FORMATS[other].write(TRANSCRIPT))
    assert score(tmp_path / "h", tmp_path / "g").raw.words == ErrorRate(reference_length=6)


def test_a_broken_caption_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "h.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\na b\n\nc\nd\n")
    with pytest.raises(ScoringError, match=r"h\.srt:5: 'c' begins a caption without a time line"):
        score(tmp_path / "h.srt", tmp_path / "h.srt")


def test_years_in_brackets_are_not_taken_for_ids(tmp_path: Path) -> None:
    with pytest.raises(ScoringError, match=r"'\(1999\)', which may be an id or a remark.*--format trn"):
        rate_of(tmp_path, "the matrix (1999)\nheat (1995)\n", "the matrix (1995)\nheat (1999)\n")
    assert rate_of(tmp_path, "a b (1999)\nc (1999)\n", "a b (1999)\nd (1999)\n") == ("line", 1, 5)


def test_a_segment_without_a_time_among_others_with_one_is_refused(tmp_path: Path) -> None:
    segments = [{"session_id": "s", "speaker": "a", "words": word} for word in ("a", "b")]
    (tmp_path / "h.json").write_text(json.dumps([segments[0] | {"start_time": 1, "end_time": 2}, segments[1]]))
    with pytest.raises(ScoringError, match=r"h\.json: is no SegLST: segment 2 has no 'start_time'"):
        score(tmp_path / "h.json", tmp_path / "h.json")


def test_whispers_transcript_in_one_line_is_told_from_a_manifest(tmp_path: Path) -> None:
    (tmp_path / "talk.json").write_text('{"text": " a x", "segments": [{"text": " a x", "words": null}]}')
    (tmp_path / "r.trn").write_text("a b (talk)\n")
    assert score(tmp_path / "r.trn", tmp_path / "talk.json").raw.words.errors == 1


@pytest.mark.parametrize("segments", ["[]", '[{"text": " a b"}]', '[{"text": " a b d"}]'])
def test_a_transcript_whose_text_and_segments_differ_is_refused(tmp_path: Path, segments: str) -> None:
    (tmp_path / "talk.json").write_text(f'{{"text": " a b c", "segments": {segments}}}')
    (tmp_path / "r.trn").write_text("a b c (talk)\n")
    with pytest.raises(ScoringError, match=r"talk\.json: 'text' holds 3 words and the segments \d, and they differ"):
        score(tmp_path / "r.trn", tmp_path / "talk.json")


def test_white_space_does_not_part_a_transcripts_text_from_its_segments(tmp_path: Path) -> None:
    (tmp_path / "talk.json").write_text('{"text": "a  b\\nc", "segments": [{"text": " a b "}, {"text": "c"}]}')
    (tmp_path / "r.trn").write_text("a b x (talk)\n")
    assert score(tmp_path / "r.trn", tmp_path / "talk.json").raw.words.errors == 1


@pytest.mark.parametrize("content", ['{"text": "a b"}', '{\n"text": "a b"\n}'])
def test_a_transcript_without_segments_says_so(tmp_path: Path, content: str) -> None:
    (tmp_path / "talk.json").write_text(content)
    (tmp_path / "r.trn").write_text("a b (talk)\n")
    with pytest.raises(
        ScoringError, match=r"talk\.json: is neither .* nor a transcript: 'segments' is missing\..*as plain lines"
    ):
        score(tmp_path / "r.trn", tmp_path / "talk.json")


def test_two_files_with_both_sides_are_not_scored_by_half(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_text('{"id": "u", "text": "a b", "pred_text": "a x"}\n')
    with pytest.raises(ScoringError, match=r"a\.jsonl and .*b\.jsonl both hold what was said and what was recognised"):
        score(tmp_path / "a.jsonl", tmp_path / "b.jsonl")
    assert score(tmp_path / "a.jsonl", tmp_path / "a.jsonl").raw.words.errors == 1
    both = compare(tmp_path / "a.jsonl", {"a": tmp_path / "a.jsonl", "b": tmp_path / "b.jsonl"})
    assert [report.raw.words.errors for report in both.reports] == [1, 1]


def test_lines_that_begin_with_ids_do_so_to_the_end(tmp_path: Path) -> None:
    lines = "".join(f"utt-{number} a b\n" for number in range(1500))
    with pytest.raises(ScoringError, match=r"r\.txt:1501: begins with 'hello', other lines with ids.*--format kaldi"):
        rate_of(tmp_path, f"{lines}hello there\n", f"{lines}hello you\n")


def test_a_file_named_text_holds_ids_if_its_lines_have_names_of_their_own(tmp_path: Path) -> None:
    for name, content in (("ref", "anna a b\nbob c\n"), ("hyp", "bob c\nanna a x\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "text").write_text(content)
    assert score(tmp_path / "ref" / "text", tmp_path / "hyp" / "text").raw.words.errors == 1
    for name, content in (("ref", "the cat\nthe dog\n"), ("hyp", "the cat\nthe hog\n")):
        (tmp_path / name / "text").write_text(content)
    report = score(tmp_path / "ref" / "text", tmp_path / "hyp" / "text")
    assert (report.pairing.by, report.raw.words.reference_length) == ("line", 4)
