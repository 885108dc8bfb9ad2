"""A folder's recordings are found by what is in them; what else is in it is named."""

import shutil
from pathlib import Path

import pytest
from audio_files import SPEECH, encode, speech

from asr_s2s.audio import find_recordings
from asr_s2s.cli.inputs import named_inputs
from asr_s2s.errors import ConfigError

pytestmark = pytest.mark.unit


def names(paths: list[Path], folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in paths]


def test_files_with_sound_are_taken_whatever_they_are_called(tmp_path: Path) -> None:
    for name in ("a.ogg", "b", "c.recording", "deep/er/d.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SPEECH, tmp_path / name)
    encode(tmp_path / "e.ts", speech(), "aac")
    encode(tmp_path / "film.m4v", speech(), "aac", pictures=True)
    encode(tmp_path / "mute.m4v", speech(), None, pictures=True)
    (tmp_path / "e.txt").write_text("what was said")
    (tmp_path / ".hidden.ogg").write_bytes(SPEECH.read_bytes())
    found = find_recordings(tmp_path)
    assert names(found.recordings, tmp_path) == ["a.ogg", "b", "c.recording", "deep/er/d.txt", "e.ts", "film.m4v"]
    assert names(found.others, tmp_path) == [".hidden.ogg", "e.txt", "mute.m4v"]


def test_a_file_that_is_called_a_recording_and_is_none_is_not_left_out(tmp_path: Path) -> None:
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    assert names(find_recordings(tmp_path).recordings, tmp_path) == ["broken.wav"]


def test_linked_folders_are_gone_into_once(tmp_path: Path) -> None:
    (tmp_path / "talks" / "inner").mkdir(parents=True)
    (tmp_path / "far").mkdir()
    shutil.copy(SPEECH, tmp_path / "far" / "a.ogg")
    (tmp_path / "talks" / "linked").symlink_to(tmp_path / "far")
    (tmp_path / "talks" / "inner" / "round").symlink_to(tmp_path / "talks")
    assert names(find_recordings(tmp_path / "talks").recordings, tmp_path / "talks") == ["linked/a.ogg"]


def test_what_is_left_out_is_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(SPEECH, tmp_path / "a.ogg")
    for number in range(7):
        (tmp_path / f"{number}.txt").write_text("what was said")
    (found,) = named_inputs([str(tmp_path)])
    assert found.place == Path("a")
    assert capsys.readouterr().err == (
        f"{tmp_path}: 7 files left out, hidden or without sound: 0.txt, 1.txt, 2.txt, 3.txt, 4.txt and 2 more\n"
    )
    (tmp_path / "a.ogg").unlink()
    with pytest.raises(ConfigError, match="holds no recording"):
        named_inputs([str(tmp_path)])
