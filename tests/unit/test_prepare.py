"""The command prepare: manifests of the parts, checksums that sha256sum reads, and what is left out."""

import subprocess
from pathlib import Path

import pytest
from corpora import copy, write

from asr_s2s.cli import run
from asr_s2s.cli.prepare import NAMES
from asr_s2s.cli.status import WRONG_USE
from asr_s2s.data.corpora import CORPORA
from asr_s2s.lock import held
from asr_s2s.manifest import read_manifest

pytestmark = pytest.mark.unit


def test_the_help_names_every_corpus() -> None:
    assert set(dict(CORPORA)) <= set(NAMES.replace(",", " ").split())


@pytest.fixture
def librispeech(tmp_path: Path) -> Path:
    for subset, name in (("dev-clean", "84-1-0000"), ("dev-clean", "84-1-0001"), ("test-other", "9-2-0000")):
        speaker, chapter, _ = name.split("-")
        folder = tmp_path / "LibriSpeech" / subset / speaker / chapter
        copy("9_george_9", folder / f"{name}.flac")
        with (folder / f"{speaker}-{chapter}.trans.txt").open("a") as file:
            file.write(f"{name} WORDS\n")
    return tmp_path / "LibriSpeech"


def test_every_part_gets_a_manifest_and_checksums_that_sha256sum_accepts(librispeech: Path, tmp_path: Path) -> None:
    assert run(["prepare", "librispeech", str(librispeech), str(tmp_path / "out")]) == 0
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["dev-clean.jsonl", "dev-clean.jsonl.sha256", "test-other.jsonl", "test-other.jsonl.sha256"]
    assert [item.id for item in read_manifest(tmp_path / "out/dev-clean.jsonl")] == ["84-1-0000", "84-1-0001"]
    command = ["sha256sum", "--check", "--strict", "dev-clean.jsonl.sha256"]
    assert subprocess.run(command, cwd=tmp_path / "out", check=False, capture_output=True).returncode == 0
    with (librispeech / "dev-clean/84/1/84-1-0001.flac").open("ab") as file:
        file.write(b"changed")
    done = subprocess.run(command, cwd=tmp_path / "out", check=False, capture_output=True, text=True)
    assert "84-1-0001.flac: FAILED" in done.stdout


def test_one_manifest_takes_one_part_and_refuses_to_mix_several(
    librispeech: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "one.jsonl"
    assert run(["prepare", "librispeech", str(librispeech), str(target)]) == 2
    assert "which one manifest would mix. Name a folder" in capsys.readouterr().err
    assert run(["prepare", "librispeech", str(librispeech), str(target), "--part", "test-other", "--no-checksums"]) == 0
    assert [item.id for item in read_manifest(target)] == ["9-2-0000"]
    assert not Path(f"{target}.sha256").exists()
    assert run(["prepare", "librispeech", str(librispeech), str(target), "--part", "test"]) == 2
    assert "has no part 'test'. Its parts: dev-clean, test-other." in capsys.readouterr().err


def test_a_target_that_another_process_writes_is_refused(
    librispeech: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with held(tmp_path / "out"), held(tmp_path, name=".one.jsonl.lock"):
        for target in ("out", "one.jsonl"):
            assert run(["prepare", "librispeech", str(librispeech), str(tmp_path / target)]) == WRONG_USE
            assert " writes here. Wait until it has ended" in capsys.readouterr().err
        assert not (tmp_path / "one.jsonl").exists()


def test_what_is_left_out_is_counted_listed_and_gone_once_it_is_mended(
    librispeech: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = librispeech / "dev-clean/84/1/84-1-0001.flac"
    sound = lost.read_bytes()
    write(lost, "no sound")
    command = ["prepare", "librispeech", str(librispeech), str(tmp_path / "out")]
    assert run(command) == 1
    said = capsys.readouterr().err
    assert "Left out, 1 in all: 1 unreadable file; listed in" in said
    assert "utterance '84-1-0001': " in (tmp_path / "out/left_out.txt").read_text()
    assert [item.id for item in read_manifest(tmp_path / "out/dev-clean.jsonl")] == ["84-1-0000"]
    lost.write_bytes(sound)
    assert run(command) == 0
    assert not (tmp_path / "out/left_out.txt").exists()
