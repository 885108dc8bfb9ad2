"""The manifest: NeMo's files read unchanged, every fault of a file in one message, and writing that loses nothing."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr_s2s.errors import ManifestError
from asr_s2s.manifest import (
    Utterance,
    Word,
    read_manifest,
    read_usable_lines,
    utterance_to_json,
    write_manifest,
)

pytestmark = pytest.mark.unit

DATA = Path(__file__).parents[1] / "data"


def written(folder: Path, *lines: str | dict[str, Any]) -> Path:
    path = folder / "dev.jsonl"
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines), "utf-8")
    return path


def faults(path: Path) -> list[str]:
    """The lines of the message after the first, without the file's name."""
    with pytest.raises(ManifestError) as caught:
        read_manifest(path)
    return [line.removeprefix(f"{path}:") for line in str(caught.value).splitlines()[1:]]


def test_every_field_is_read(tmp_path: Path) -> None:
    line = {
        "audio_filepath": "audio/a.wav",
        "id": "first",
        "text": "Größe, \u2028 two",
        "pred_text": "",
        "duration": 3,
        "offset": 1.5,
        "words": [{"word": "two", "start": 1.5, "end": 2, "probability": 0.5}, {"word": "!", "start": 2, "end": 2}],
        "speaker": "s1",
        "language": "de",
        "confidence": 0.25,
        "flags": {"loop": 1.0},
    }
    path = written(tmp_path, "", json.dumps(line, ensure_ascii=False))
    assert read_manifest(path) == [
        Utterance(
            id="first",
            audio_path=tmp_path / "audio/a.wav",
            text="Größe, \u2028 two",
            pred_text="",
            duration=3.0,
            offset=1.5,
            words=(Word("two", 1.5, 2.0, 0.5), Word("!", 2.0, 2.0)),
            speaker="s1",
            language="de",
            extra={"confidence": 0.25, "flags": {"loop": 1.0}},
        )
    ]
    assert read_manifest(path)[0].origin == f"{path}:2"


def test_a_nemo_line_is_read_unchanged(tmp_path: Path) -> None:
    nemo = {"audio_filepath": "/data/an4/wav/cen1.wav", "duration": 2.1, "text": "hello", "offset": 0.0, "lang": "en"}
    assert read_manifest(written(tmp_path, nemo)) == [
        Utterance("/data/an4/wav/cen1", Path("/data/an4/wav/cen1.wav"), "hello", duration=2.1, extra={"lang": "en"})
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ({"audio_filepath": "a/b.c.wav"}, "a/b.c"),
        ({"audio_filepath": "a/b.wav", "offset": 0}, "a/b"),
        ({"audio_filepath": "a/b.wav", "offset": 12.3456}, "a/b@12346"),
        ({"audio_filepath": "a.d/b"}, "a.d/b"),
        ({"audio_filepath": "a/b.wav", "id": 7}, "7"),
    ],
)
def test_an_utterance_without_id_is_called_by_its_path_and_offset(
    tmp_path: Path, line: dict[str, Any], expected: str
) -> None:
    assert read_manifest(written(tmp_path, line))[0].id == expected


def test_numbered_speakers_become_names(tmp_path: Path) -> None:
    assert read_manifest(written(tmp_path, {"audio_filepath": "a.wav", "speaker": 1089}))[0].speaker == "1089"


def test_windows_line_ends_and_a_byte_order_mark_are_read_over(tmp_path: Path) -> None:
    path = tmp_path / "dev.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"audio_filepath": "a.wav"}\r\n\r\n{"audio_filepath": "b.wav"}')
    assert [utterance.id for utterance in read_manifest(path)] == ["a", "b"]


def test_an_empty_manifest_holds_no_utterances(tmp_path: Path) -> None:
    assert read_manifest(written(tmp_path)) == []


def test_all_broken_lines_are_reported_at_once(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        {"audio_filepath": "good.wav"},
        '{"audio_filepath": "a.wav"',
        "[1, 2]",
        {"text": "no path"},
        {"audio_filepath": ["a.wav", "b.wav"]},
        {"audio_filepath": "", "text": 5, "duration": "3 s", "offset": -1},
        {"audio_filepath": "c.wav", "duration": 0},
        '{"audio_filepath": "d.wav", "duration": NaN}',
        '{"audio_filepath": "d.wav", "offset": 1e999}',
        {"audio_filepath": "e.wav", "duration": True},
        {"audio_filepath": "f.wav", "id": ""},
        {"audio_filepath": "g.wav", "words": "hello there"},
        {
            "audio_filepath": "h.wav",
            "words": [{"word": "a", "start": 1, "end": 2}, {"word": "b", "start": 3, "end": 2}],
        },
        {"audio_filepath": "i.wav", "words": [{"word": "a", "start": 1, "end": 2, "probability": 1.5}]},
        {"audio_filepath": "j\0.wav"},
        '{"audio_filepath": "k.wav", "text": "\\ud83d"}',
        '{"audio_filepath": "m.wav", "text": "a", "text": "b"}',
        {"audio_filepath": "l.wav", "extra": {"anything": [1, None]}},
    )
    time, text = "not seconds from 0 up", "not a string"
    word = "not {'word': text, 'start': seconds, 'end': seconds from start up, and if known 'probability': 0 to 1}."
    assert faults(path) == [
        "2: is not valid JSON (Expecting ',' delimiter, column 27).",
        "3: is [1, 2], not an object. Write one {...} a line.",
        "4: 'audio_filepath' is missing.",
        """5: 'audio_filepath' is ["a.wav", "b.wav"], not a string.""",
        f"6: 'audio_filepath' is empty. 'offset' is -1, {time}. 'duration' is \"3 s\", {time}. 'text' is 5, {text}.",
        "7: 'duration' is 0. Write the seconds or leave the key out.",
        "8: NaN is not a JSON number. Use null.",
        "9: 1e999 is too large a number. Write seconds or counts that are real.",
        "10: 'duration' is true, not seconds from 0 up.",
        "11: 'id' is empty. Write a name of its own or leave the key out.",
        "12: 'words' is \"hello there\", not a list of words with times.",
        f'13: words[1] is {{"word": "b", "start": 3, "end": 2}}, {word}',
        f'14: words[0] is {{"word": "a", "start": 1, "end": 2, "probability": 1.5}}, {word}',
        "15: 'audio_filepath' holds a zero byte. Write the path of a file.",
        "16: is not UTF-8 text. Save the manifest as UTF-8.",
        "17: has the key 'text' several times. Keep one of them.",
    ]
    with pytest.raises(
        ManifestError, match=r"dev\.jsonl: 16 of 18 lines cannot be used\. Correct them; nothing was read:\n"
    ):
        read_manifest(path)


def test_a_doubled_id_is_reported_with_both_lines(tmp_path: Path) -> None:
    path = written(tmp_path, {"audio_filepath": "a.wav"}, "", {"audio_filepath": "a.flac"}, {"audio_filepath": "b.wav"})
    assert faults(path) == ["3: the id 'a' stands on line 1 too. Give each line its own 'id'."]


def test_bytes_that_are_no_text_are_reported_by_their_line(tmp_path: Path) -> None:
    path = tmp_path / "dev.jsonl"
    path.write_bytes(b'{"audio_filepath": "a.wav"}\n{"audio_filepath": "b\xff.wav"}\n')
    assert faults(path) == ["2: is not UTF-8 text. Save the manifest as UTF-8."]


def test_of_very_many_broken_lines_the_first_are_shown_and_all_are_numbered(tmp_path: Path) -> None:
    lines: list[str | dict[str, Any]] = [{"text": "x"}] * 30
    lines[24] = {"audio_filepath": "good.wav"}
    found = faults(written(tmp_path, *lines))
    assert len(found) == 21
    assert found[19] == "20: 'audio_filepath' is missing."
    assert found[20] == "and lines 21-24, 26-30"


def test_a_file_that_is_one_json_list_is_told_what_a_manifest_is(tmp_path: Path) -> None:
    path = tmp_path / "dev.json"
    path.write_text(json.dumps([{"audio_filepath": "a.wav"}], indent=1))
    with pytest.raises(ManifestError, match=r"holds one JSON value over several lines. Write one object a line"):
        read_manifest(path)


@pytest.mark.parametrize(("name", "reason"), [("none.jsonl", "No such file or directory"), ("", "Is a directory")])
def test_a_manifest_that_cannot_be_opened(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(ManifestError, match=rf"cannot be read \({reason}\). Name an existing manifest.$"):
        read_manifest(tmp_path / name)


def test_written_paths_are_relative_to_the_manifests_own_folder(tmp_path: Path) -> None:
    utterance = Utterance("a", tmp_path / "audio" / "a.wav")
    assert utterance_to_json(utterance, folder=tmp_path)["audio_filepath"] == "audio/a.wav"
    assert utterance_to_json(utterance, folder=tmp_path / "out" / "deep")["audio_filepath"] == "../../audio/a.wav"


def test_written_paths_are_relative_where_both_were_given_relative(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("out/dev.jsonl")
    write_manifest(path, [Utterance("a", Path("audio/a.wav"))])
    assert json.loads(path.read_text()) == {"id": "a", "audio_filepath": "../audio/a.wav"}
    assert os.path.normpath(read_manifest(path)[0].audio_path) == "audio/a.wav"


def test_written_paths_lead_out_of_a_linked_folder(tmp_path: Path) -> None:
    (tmp_path / "audio").mkdir()
    (tmp_path / "audio" / "a.wav").write_bytes(b"sound")
    (tmp_path / "disk" / "far" / "away").mkdir(parents=True)
    (tmp_path / "out").symlink_to(tmp_path / "disk" / "far" / "away")
    path = tmp_path / "out" / "dev.jsonl"
    write_manifest(path, [Utterance("a", tmp_path / "audio" / "a.wav")])
    assert read_manifest(path)[0].audio_path.read_bytes() == b"sound"


def test_a_linked_file_below_the_folder_keeps_its_name(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "0a1b2c").touch()
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a.wav").symlink_to(tmp_path / "store" / "0a1b2c")
    utterance = Utterance("a", tmp_path / "set" / "a.wav")
    assert utterance_to_json(utterance, folder=tmp_path / "set")["audio_filepath"] == "a.wav"


def test_writing_refuses_doubled_ids_and_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "dev.jsonl"
    write_manifest(path, [Utterance("old", tmp_path / "old.wav")])
    with pytest.raises(ManifestError, match=r"is not written: 1 ids are doubled: a. Give each utterance its own.$"):
        write_manifest(path, [Utterance("a", tmp_path / "a.wav"), Utterance("a", tmp_path / "b.wav")])
    assert [utterance.id for utterance in read_manifest(path)] == ["old"]


text = st.text(st.characters(codec="utf-8"), max_size=8)
name = st.text(st.characters(codec="utf-8", exclude_characters="\0/."), min_size=1, max_size=8)
seconds = st.floats(0, 1e5)
words = st.lists(
    st.builds(
        lambda word, start, length, sure: Word(word, start, start + length, sure),
        text.filter(bool),
        seconds,
        seconds,
        st.none() | st.floats(0, 1),
    ),
    max_size=3,
).map(tuple)
extra = st.dictionaries(
    st.sampled_from(["confidence", "flags", "ß"]), st.none() | text | st.floats(-1, 1) | st.lists(text, max_size=2)
)


@settings(max_examples=100, deadline=None)
@given(
    utterances=st.lists(
        st.builds(
            Utterance,
            id=name,
            audio_path=name.map(lambda stem: DATA / "sub" / f"{stem}.wav"),
            text=st.none() | text,
            pred_text=st.none() | text,
            duration=st.none() | st.floats(1e-3, 1e5),
            offset=seconds,
            words=st.none() | words,
            speaker=st.none() | text,
            language=st.none() | text,
            extra=extra,
        ),
        unique_by=lambda utterance: utterance.id,
        max_size=4,
    )
)
def test_reading_undoes_writing(tmp_path_factory: pytest.TempPathFactory, utterances: list[Utterance]) -> None:
    path = tmp_path_factory.getbasetemp() / "dev.jsonl"
    write_manifest(path, utterances)
    read = read_manifest(path)
    for before, after in zip(utterances, read, strict=True):
        assert os.path.normpath(after.audio_path) == str(before.audio_path)
    assert [utterance_to_json(one, folder=DATA) for one in read] == [
        utterance_to_json(one, folder=DATA) for one in utterances
    ]


def test_the_recordings_of_these_tests_are_there() -> None:
    for manifest, count in (("manifest", 11), ("noise", 2), ("rooms", 1)):
        utterances = read_manifest(DATA / f"{manifest}.jsonl")
        assert len(utterances) == count
        assert all(utterance.audio_path.is_file() for utterance in utterances)


@pytest.mark.parametrize("value", ["1e400", "-1e400", "NaN", "-Infinity", "9" * 400, "9" * 5000, "[" * 150 + "]" * 150])
@pytest.mark.parametrize("key", ["duration", "offset", "anything", "speaker"])
def test_a_value_that_could_be_read_but_not_written_costs_its_line_alone(tmp_path: Path, key: str, value: str) -> None:
    path = written(tmp_path, {"audio_filepath": "a.wav"}, f'{{"audio_filepath": "b.wav", "{key}": {value}}}')
    utterances, broken = read_usable_lines(path)
    assert ([one.id for one in utterances], list(broken)) == (["a"], [2])
    assert len(" ".join(broken[2])) < 200


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner)
                    | st.dictionaries(st.text(), inner)))  # fmt: skip
def test_whatever_a_line_holds_it_is_refused_or_can_be_written_again(
    tmp_path_factory: pytest.TempPathFactory, value: object
) -> None:
    folder = tmp_path_factory.mktemp("any")
    line = json.dumps({"audio_filepath": "a.wav", "anything": value})
    (folder / "in.jsonl").write_text(line + "\n", encoding="utf-8")
    utterances, _ = read_usable_lines(folder / "in.jsonl")
    write_manifest(folder / "out.jsonl", utterances)
    assert read_usable_lines(folder / "out.jsonl")[0] == utterances


def test_a_value_that_json_has_not_is_named_with_its_utterance(tmp_path: Path) -> None:
    for value in (float("nan"), object(), {1, 2}):
        with pytest.raises(ManifestError, match="utterance 'u'"):
            write_manifest(tmp_path / "out.jsonl", [Utterance("u", tmp_path / "a.wav", extra={"x": value})])
    assert not (tmp_path / "out.jsonl").exists()


def test_a_manifest_is_a_file_and_a_path(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for wrong in (tmp_path / "pipe", "/dev/zero", tmp_path, "n" * 5000, "a\0b", None, 5, b""):
        with pytest.raises(ManifestError):
            read_manifest(wrong)  # type: ignore[arg-type]


def test_what_is_no_utterance_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="a NoneType is no Utterance"):
        write_manifest(tmp_path / "o.jsonl", [None])  # type: ignore[list-item]
    assert not list(tmp_path.iterdir())
