"""What is named to be read: files, pipes, standard input; and what is refused rather than waited for."""

import io
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from asr_s2s import inputs
from asr_s2s.cli import run
from asr_s2s.errors import ConfigError, ScoringError
from asr_s2s.inputs import input_file, read_bytes, read_text
from asr_s2s.manifest import read_manifest
from asr_s2s.recognizer import read_hotwords
from asr_s2s.scoring import score

pytestmark = pytest.mark.unit

LINES = "".join(f"one two {number} {number % 7}\n" for number in range(3000))  # more than a look at the format reads


@contextmanager
def piped(content: str | bytes) -> Iterator[Path]:
    """Give the name of a pipe that somebody fills, as a shell's <(command) does."""
    data = content.encode() if isinstance(content, str) else content
    reader, writer = os.pipe()

    def fill() -> None:
        with os.fdopen(writer, "wb") as file:
            file.write(data)

    thread = threading.Thread(target=fill)
    thread.start()
    try:
        yield Path(f"/dev/fd/{reader}")
    finally:
        os.close(reader)
        thread.join()


@pytest.fixture
def standard_input(monkeypatch: pytest.MonkeyPatch) -> io.BytesIO:
    content = io.BytesIO()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(content))
    return content


def fill(stream: io.BytesIO, content: str) -> None:
    stream.write(content.encode())
    stream.seek(0)


def test_a_pipe_is_scored_as_the_file_that_went_through_it(tmp_path: Path) -> None:
    (tmp_path / "ref.txt").write_text(LINES)
    (tmp_path / "hyp.txt").write_text(LINES.replace(" 3\n", " 4\n"))
    by_name = score(tmp_path / "ref.txt", tmp_path / "hyp.txt")
    with piped(LINES) as reference, piped(LINES.replace(" 3\n", " 4\n")) as hypothesis:
        through_pipes = score(reference, hypothesis)
    assert through_pipes.raw == by_name.raw
    assert through_pipes.pairing.num_references == 3000
    assert [file.sha256 for file in through_pipes.provenance.files] == [
        file.sha256 for file in by_name.provenance.files
    ]


@pytest.mark.parametrize(
    ("reference", "hypothesis", "errors", "words"),
    [
        ("utt-1 a b\nutt-2 c\n", "utt-2 c\nutt-1 a x\n", 1, 3),
        ("a b (s-1)\nc (s-2)\n", "c (s-2)\na x (s-1)\n", 1, 3),
        ('{"id": "u", "text": "a b"}\n', '{"id": "u", "pred_text": "a x"}\n', 1, 2),
        ("id,text\nu,a b\n", "id;hypothesis\nu;a x\n", 1, 2),
        ("rec 1 s 0.0 2.0 a b\n", "rec 1 0.1 0.2 a\nrec 1 0.5 0.2 x\n", 1, 2),
        ('[{"session_id": "r", "words": "a b"}]', '[{"session_id": "r", "words": "a x"}]', 1, 2),
    ],
)
def test_the_format_of_a_pipe_is_told_from_its_content(
    reference: str, hypothesis: str, errors: int, words: int
) -> None:
    with piped(reference) as first, piped(hypothesis) as second:
        found = score(first, second).raw.words
    assert (found.errors, found.reference_length) == (errors, words)


def test_whole_seconds_in_a_pipe_are_not_scored_as_words() -> None:
    told = pytest.raises(ScoringError, match="may be stm or ctm with whole seconds, or text")
    with piped("r 1 s 0 2 a\n") as first, piped("r 1 0 1 a\n") as second, told:
        score(first, second)


def test_a_manifest_with_both_sides_may_come_through_standard_input(standard_input: io.BytesIO) -> None:
    fill(standard_input, '{"id": "u", "text": "a b", "pred_text": "a x"}\n')
    assert score("-").raw.words.errors == 1


def test_standard_input_is_read_once_and_a_second_name_for_it_is_refused(standard_input: io.BytesIO) -> None:
    fill(standard_input, "a b\n")
    with pytest.raises(ScoringError, match=r"-: cannot be read .*was read already: it can be named once"):
        score("-", "-")


def test_lists_and_manifests_are_read_from_standard_input(standard_input: io.BytesIO) -> None:
    fill(standard_input, "\ufeffAnna\n# no word\nBob\n")
    assert read_hotwords(Path("-")) == ["Anna", "Bob"]


def test_a_manifest_is_read_from_a_pipe_its_paths_from_the_working_folder() -> None:
    with piped('{"id": "u", "audio_filepath": "a.wav"}\n') as path:
        (item,) = read_manifest(path)
    assert (item.id, item.audio_path) == ("u", Path("a.wav"))


def test_a_table_is_prepared_from_standard_input(
    standard_input: io.BytesIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).parents[1] / "data")
    fill(standard_input, "audio,text\n0_jackson_18.ogg,zero\n")
    assert run(["prepare", "csv", "-", str(tmp_path / "out.jsonl")]) == 0
    assert [item.text for item in read_manifest(tmp_path / "out.jsonl")] == ["zero"]


def test_a_report_of_a_pipe_says_that_it_cannot_be_verified(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], standard_input: io.BytesIO
) -> None:
    (tmp_path / "ref.txt").write_text("a b\n")
    fill(standard_input, "a x\n")
    assert run(["score", str(tmp_path / "ref.txt"), "-", "--json", str(tmp_path / "report.json")]) == 0
    assert run(["score", "--verify", str(tmp_path / "report.json")]) == 2
    assert "was made of -, which is not there" in capsys.readouterr().err


def test_what_never_ends_or_never_begins_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "WRITER_SECONDS", 0.1)
    os.mkfifo(tmp_path / "fifo")
    for path, reason in (
        (tmp_path / "fifo", "nobody wrote into it"),
        (Path("/dev/zero"), "it is a device"),
        (tmp_path, "Is a directory"),
    ):
        with pytest.raises(OSError, match=reason):
            input_file(path)


def test_a_writer_may_take_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "WRITER_SECONDS", 0.05)
    reader, writer = os.pipe()
    threading.Timer(0.3, lambda: (os.write(writer, b"late"), os.close(writer))).start()
    assert read_bytes(Path(f"/dev/fd/{reader}")) == b"late"
    os.close(reader)


def test_text_that_is_not_utf_8_is_named_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "words").write_bytes(b"ab\xff")
    with pytest.raises(ConfigError, match=r"words: is not UTF-8 text \(byte 2\)"):
        read_text(tmp_path / "words", error=ConfigError, advice="")
    with pytest.raises(ConfigError, match=r"words: cannot be read \(it has more than 2e-06 MB\)\. Less\."):
        read_text(tmp_path / "words", error=ConfigError, advice="Less.", most=2)
