"""What cannot be written, and what would have no effect, is refused by every command while there is nothing to lose."""

import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from asr_s2s.cli import run

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
CLIP = str(ROOT / "tests" / "data" / "lbby5a.ogg")
MANIFEST = str(ROOT / "tests" / "data" / "manifest.jsonl")


@pytest.mark.parametrize(
    "command",
    [
        ("check", MANIFEST, "--html"),
        ("check", MANIFEST, "--json"),
        ("transcribe", "--model", "nobody", "--manifest", MANIFEST, "--output"),
    ],
    ids=lambda command: f"{command[0]} {command[-1]}",
)
def test_a_folder_that_cannot_be_made_is_told_before_any_work(
    command: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert run([*command, str(tmp_path / "file" / "out")]) == 2
    printed = capsys.readouterr()
    assert printed.err == f"{tmp_path / 'file' / 'out'}: cannot be written (Not a directory). Name another file.\n"
    assert not printed.out


def test_the_manifest_that_is_checked_is_not_written_over(capsys: pytest.CaptureFixture[str]) -> None:
    before = Path(MANIFEST).read_bytes()
    assert run(["check", MANIFEST, "--json", MANIFEST]) == 2
    assert "is an input, or another output" in capsys.readouterr().err
    assert Path(MANIFEST).read_bytes() == before


@pytest.fixture
def nobody(tmp_path: Path) -> Iterator[Path]:
    """Give a folder in which a user without root's rights can write nothing, and be that user."""
    folder = tmp_path / "read-only"
    folder.mkdir()
    folder.chmod(0o555)
    for parent in (tmp_path, *tmp_path.parents[:2]):  # pytest keeps them private
        parent.chmod(0o755)
    for room in ("checking", "inputs", "lock", "model_store", "recognizer", "scoring", "transcripts"):
        import_module(f"asr_s2s.{room}")  # that user may not be able to read them
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    yield folder
    if root:
        os.seteuid(0)


@pytest.mark.parametrize(
    "command",
    [
        ("transcribe", CLIP, "--output-dir"),
        ("transcribe", "--manifest", MANIFEST, "--output"),
        ("check", MANIFEST, "--json"),
        ("score", MANIFEST, "--csv"),
        ("model", "average", "nobody", "--output"),
        ("model", "merge-silence", "nobody"),
        ("model", "import-whisper", "nobody"),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_a_folder_that_takes_no_file_is_refused_first(
    command: tuple[str, ...], nobody: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*command, str(nobody / "out")]) == 2
    said = capsys.readouterr().err
    assert said.startswith(str(nobody / "out"))
    assert "(Permission denied). Name another" in said


def test_a_file_in_the_place_of_a_folder_and_a_folder_in_that_of_a_file_are_refused_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert run(["transcribe", CLIP, "--output-dir", str(tmp_path / "file")]) == 2
    assert "file: no file can be written there (Not a directory). Name another folder." in capsys.readouterr().err
    (tmp_path / "out" / "lbby5a.srt").mkdir(parents=True)
    assert run(["transcribe", CLIP, "--format", "srt", "--output-dir", str(tmp_path / "out")]) == 2
    assert "lbby5a.srt: is a folder or a device, and a transcript would go there." in capsys.readouterr().err


def test_a_device_or_a_pipe_is_not_replaced_by_a_transcript(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "lbby5a.txt").symlink_to("/dev/null")
    os.mkfifo(tmp_path / "lbby5a.srt")
    for name in ("txt", "srt"):
        assert run(["transcribe", CLIP, "--format", name, "--output-dir", str(tmp_path)]) == 2
        assert f"lbby5a.{name}: is a folder or a device" in capsys.readouterr().err


def test_what_can_be_read_or_written_once_is_named_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["transcribe", "-", "-"]) == 2
    assert capsys.readouterr().err == "'-': standard input can be read once only. Name it once.\n"
    (tmp_path / "m.jsonl").write_text(f'{{"audio_filepath": "{CLIP}"}}\nno json\n')
    manifest = str(tmp_path / "m.jsonl")
    assert run(["transcribe", "--manifest", manifest, "--output", manifest]) == 2
    assert "m.jsonl: is an input, or another output." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--manifest", MANIFEST, "--output", "o.jsonl", "--format", "srt"],
            "--format has no effect beside --manifest",
        ),
        (["--manifest", MANIFEST, "--output", "o.jsonl", "--output-dir", "o"], "--output-dir has no effect beside"),
        (["--manifest", MANIFEST, "--output", "o.jsonl", "--plot"], "--plot has no effect beside --manifest"),
        (["--manifest", MANIFEST, "--output", "o.jsonl", "--max-line-width", "42"], "--max-line-width has no effect"),
        ([CLIP, "--format", "srt", "--highlight-words"], "--highlight-words has no effect without --format vtt"),
        ([CLIP, "--max-line-count", "2"], "--max-line-count has no effect without --format srt or vtt"),
        ([CLIP, "--resume"], "--resume has no effect without --output-dir or --manifest"),
        ([CLIP, "--output", "o.jsonl"], "--manifest IN.jsonl and --output OUT.jsonl go together"),
        ([CLIP, "--threads", "100000"], "Invalid value for '--threads'"),
        ([CLIP, "--jobs", "100000"], "Invalid value for '--jobs'"),
        ([CLIP, "--hotwords", "nofile"], "nofile: cannot be read (No such file or directory). Name a file with a word"),
        ([CLIP, "--hotwords", "/dev/zero"], "/dev/zero: cannot be read (it is a device, not a file)"),
        ([""], "An argument is empty."),
        ([CLIP, "--output-dir="], "An argument is empty."),
        ([CLIP, "--model", ""], "An argument is empty."),
        ([CLIP, "--device", "cuda:99"], "device 'cuda:99': this machine has no such devices"),
        ([CLIP, "--device", "gpu"], "unknown device 'gpu'. Choose from auto, cpu, cuda"),
        ([CLIP, "--device", "mps"], "unknown device 'mps'."),
        ([CLIP, "--beam", "9" * 400, "--model", "commands"], "beam: Input should be less than or equal to 100"),
        (
            [CLIP, "--precision", "int4", "--model", "commands"],
            "precision: Input should be 'auto', 'float32'",
        ),
        ([CLIP, "--language-model", "nothing", "--model", "commands"], "nothing: is neither a language model's folder"),
    ],
    ids=lambda value: " ".join(value)[-60:] if isinstance(value, list) else "",
)
def test_what_has_no_effect_or_cannot_be_is_refused_in_a_sentence(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["transcribe", *arguments]) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert not printed.out
    assert list(tmp_path.iterdir()) == []


def test_a_message_is_as_long_as_can_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "x" * 1_000_000]) == 2
    assert len(capsys.readouterr().err) < 3000


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["score", "--verify", "r.json", "--normalizer", "none"], "--normalizer has no effect beside --verify"),
        (["score", "--verify", "r.json", "--html", "x.html"], "--html has no effect beside --verify"),
        (["train", "x.yaml", "--find-batch", "--resume"], "--resume has no effect beside --find-batch"),
        (["train", "x.yaml", "--find-batch", "--output", "o"], "--output has no effect beside --find-batch"),
        (["train", "x.yaml", "--threads", "100000"], "Invalid value for '--threads'"),
        (["check", "x.jsonl", "--jobs", "100000"], "Invalid value for '--jobs'"),
        (["model", "merge-silence", "en", "x", "--tail-seconds", "1e9"], "Invalid value for '--tail-seconds'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_other_verbs_refuse_what_has_no_effect_too(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    assert said in capsys.readouterr().err
