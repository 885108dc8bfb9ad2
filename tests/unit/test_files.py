from pathlib import Path

import pytest

from asr_s2s.files import atomic_write, write_text

pytestmark = pytest.mark.unit


def test_a_failure_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    target = tmp_path / "report.txt"
    write_text(target, "first")
    with pytest.raises(FileNotFoundError), atomic_write(target) as temporary:
        temporary.with_name("nowhere").read_text()
    assert target.read_text() == "first"
    assert list(tmp_path.iterdir()) == [target]


def test_folders_are_made_and_the_suffix_is_kept_while_writing(tmp_path: Path) -> None:
    target = tmp_path / "new" / "sound.flac"
    with atomic_write(target) as temporary:
        assert temporary.suffix == ".flac"
        assert temporary.parent == target.parent
        temporary.write_bytes(b"x")
    assert target.read_bytes() == b"x"
