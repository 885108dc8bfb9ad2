import os
import resource
import stat
from pathlib import Path

import pytest

from asr_s2s.files import atomic_write, check_folder, write_text

pytestmark = pytest.mark.unit


def test_a_failure_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    target = tmp_path / "report.txt"
    write_text(target, "first")
    with pytest.raises(FileNotFoundError), atomic_write(target) as temporary:
        temporary.with_name("nowhere").read_text()
    assert target.read_text() == "first"
    assert list(tmp_path.iterdir()) == [target]


def test_an_error_of_the_disk_names_the_file_that_was_to_be_written(tmp_path: Path) -> None:
    target = tmp_path / "report.txt"
    _, most = before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, most))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            write_text(target, "x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.filename == str(target)
    assert list(tmp_path.iterdir()) == []


def test_folders_are_made_and_the_suffix_is_kept_while_writing(tmp_path: Path) -> None:
    target = tmp_path / "new" / "sound.flac"
    with atomic_write(target) as temporary:
        assert temporary.suffix == ".flac"
        assert temporary.parent == target.parent
        temporary.write_bytes(b"x")
    assert target.read_bytes() == b"x"


@pytest.mark.parametrize("mask", [0o077, 0o022, 0o002])
def test_a_new_file_has_the_permissions_of_the_umask_and_an_old_one_keeps_its_own(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        write_text(tmp_path / "new", "x")
        (tmp_path / "old").touch()
        (tmp_path / "old").chmod(0o640)
        write_text(tmp_path / "old", "x")
    finally:
        os.umask(before)
    found = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("new", "old")]
    assert found == [0o666 & ~mask, 0o640]


def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    for name in ("there", "not yet there"):
        (tmp_path / name).symlink_to(tmp_path / "elsewhere" / name)
    (tmp_path / "elsewhere" / "there").touch()
    for name in ("there", "not yet there"):
        write_text(tmp_path / name, "text")
        assert (tmp_path / name).is_symlink()
        assert (tmp_path / "elsewhere" / name).read_text() == "text"


def test_every_name_that_the_system_takes_can_be_written(tmp_path: Path) -> None:
    longest = os.pathconf(tmp_path, "PC_NAME_MAX")
    for name in ("n" * longest, "n." + "s" * (longest - 2), "ü" * (longest // 2)):
        write_text(tmp_path / name, "x")
        assert (tmp_path / name).read_text() == "x"


def test_half_a_surrogate_pair_costs_no_file(tmp_path: Path) -> None:
    write_text(tmp_path / "x", "caf\udce9 \ud83d ü")
    assert (tmp_path / "x").read_text(encoding="utf-8") == "caf? ? ü"


def test_what_a_folder_does_not_take_is_known_before_anything_is_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        check_folder(tmp_path / "file" / "below")
    with pytest.raises(OSError, match="File name too long"):
        check_folder(tmp_path / ("n" * 300) / "below")
    check_folder(tmp_path / "a" / "b")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
