"""Tables: what a writer of CSV writes comes back, and one bad quotation mark costs its own row alone."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr_s2s.data.corpora import read_corpus
from asr_s2s.errors import ManifestError, ScoringError
from asr_s2s.scoring import score
from asr_s2s.tables import RowError, cells, delimiter_of, rows

pytestmark = pytest.mark.unit

CELL = st.text(st.sampled_from('abé,;" \n\t'), max_size=8)


def read(content: str, delimiter: str, width: int) -> list[list[str]]:
    return [
        cells(raw.decode(), delimiter, width=width) for _, raw in rows(iter(io.BytesIO(content.encode())), delimiter)
    ]


@given(st.lists(st.tuples(CELL, CELL, CELL), min_size=1), st.sampled_from(",;"))
def test_what_was_written_as_csv_comes_back(table: list[tuple[str, str, str]], delimiter: str) -> None:
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter, lineterminator="\n").writerows([("id", "text", "pred_text"), *table])
    try:
        found = read(written.getvalue(), delimiter, 3)
    except RowError:  # a cell over several lines may hold what looks like a row of its own
        assert any("\n" in cell for row in table for cell in row)
    else:
        assert [tuple(row) for row in found[1:]] == table


@pytest.mark.parametrize(
    "bad",
    ['b,"foo\n', 'b,"foo"bar\n', 'b,"foo\nb2,bar"\n', 'b,"foo ""\n'],
    ids=["never closed", "goes on behind its end", "closed over a row", "doubled at the end"],
)
def test_a_bad_quotation_mark_costs_no_other_row(bad: str) -> None:
    good, broken = [], 0
    for _, raw in rows(iter(io.BytesIO(f'id,text\na,one\n{bad}c,"two\nlines"\nd,5" pipe\n'.encode())), ","):
        try:
            good.append(cells(raw.decode(), ",", width=2))
        except RowError:
            broken += 1
    kept = [row for row in good if row[0] in "acd"]
    assert kept == [["a", "one"], ["c", "two\nlines"], ["d", '5" pipe']]
    assert broken >= 1


def test_the_delimiter_is_told_from_the_names() -> None:
    assert [delimiter_of(line) for line in ("a,b", "a;b", "a\tb", "text")] == [",", ";", "\t", ","]
    assert delimiter_of("a,b", suffix=".tsv") == "\t"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('id,text,pred_text\na,"one,one\nb,two,two\n', r"t\.csv:2: opens a quotation mark and does not close it"),
        ("id,text,pred_text\ra,one,one\r", r"t\.csv:1: has line ends of carriage returns alone"),
        ("id,text,Text,pred_text\na,b,c,d\n", r"has several columns named 'text'"),
        ("id,text,pred_text\n,one,one\n", r"t\.csv:2: has nothing in the column 'id'"),
        ("id,text,pred_text\na,one\n", r"t\.csv:2: has 2 cells under 3 names"),
    ],
)
def test_a_table_that_would_be_misread_is_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "t.csv").write_bytes(content.encode())
    with pytest.raises(ScoringError, match=message):
        score(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("inch.csv", 'id,text,pred_text\na,a 5" pipe here,a 5 pipe here\nb,x,x\n'),
        ("two.csv", 'text,pred_text\n"one\ntwo",one too\nx,x\n'),
        ("semi.csv", "id;text;pred_text\na;a b c d;a b c\nb;x;x\n"),
        ("long.csv", f"id,text,pred_text\na,{'w ' * 100_000},{'w ' * 99_999}\n"),
    ],
)
def test_odd_tables_are_scored(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    assert score(tmp_path / name, normalizer="none").raw.words.errors == 1


def test_prepare_leaves_out_the_rows_with_faults_alone(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"w{number}.wav").touch()
    (tmp_path / "t.csv").write_text('audio,text\nw0.wav,zero\nw1.wav,"one\nw2.wav,two\nw3.wav\n')
    found = read_corpus("csv", tmp_path / "t.csv")
    assert [item.text for item in found.utterances] == ["zero", "two"]
    assert [item.message.partition(": ")[2][:24] for item in found.left_out] == [
        "opens a quotation mark a",
        "has 1 cells under 2 name",
    ]
    (tmp_path / "t.csv").write_text("audio,text,text\nw0.wav,zero,one\n")
    with pytest.raises(ManifestError, match="several columns named 'text'"):
        read_corpus("csv", tmp_path / "t.csv")
