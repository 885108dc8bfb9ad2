"""asr-s2s train as a newcomer uses it: a folder of recordings, a shipped model, and mistakes."""

import json
import os
from pathlib import Path

import pytest

from asr_s2s.audio import read_audio, write_audio
from asr_s2s.cli import run
from asr_s2s.cli.status import FAILED_INPUTS, WRONG_USE
from asr_s2s.engine.onnx_engine import OnnxEngine
from asr_s2s.lock import held
from asr_s2s.manifest import read_manifest
from asr_s2s.model_store import model_folder

pytestmark = pytest.mark.slow

DATA = Path(__file__).parents[1] / "data"
CONF = Path(__file__).parents[2] / "conf"
COMMANDS = ("lbby5a", "prac8p", "swbc1s", "0_jackson_18", "3_yweweler_37", "9_george_9")


def test_a_folder_of_recordings_adapts_a_shipped_model_and_says_whether_it_became_better(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").mkdir()
    for item in read_manifest(DATA / "manifest.jsonl"):
        if item.id in COMMANDS:
            samples = read_audio(item.audio_path)
            write_audio(tmp_path / "mine" / f"{item.id}.wav", samples, sample_rate=16_000)
            (tmp_path / "mine" / f"{item.id}.txt").write_text(item.text or "")
    options = ["training.epochs=1", "training.plots=false", "--threads", "1"]
    status = run(
        ["train", "--data", str(tmp_path / "mine"), "--from", "commands", "--output", str(tmp_path / "out"), *options]
    )
    said = capsys.readouterr().err
    assert status == 0, said
    assert "4 utterances" in said
    assert "held-out recordings, 1 utterance: WER " in said
    assert "no significant difference" in said
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert result["comparisons"][0]["name"] == "held-out recordings"
    assert len(read_manifest(tmp_path / "out" / "recordings.jsonl")) == len(COMMANDS)
    graphs = [
        {path.name: path.read_bytes() for path in (folder / "graph").iterdir()}
        for folder in (model_folder("commands"), tmp_path / "out")
    ]
    assert graphs[0] == graphs[1], "the architecture is the same, and so are its graphs"
    assert OnnxEngine(tmp_path / "out").has_ctc


def test_a_broken_recording_of_a_folder_is_left_out_and_listed_and_may_then_be_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for item in read_manifest(DATA / "manifest.jsonl"):
        if item.id in COMMANDS:
            write_audio(folder / f"{item.id}.wav", read_audio(item.audio_path), sample_rate=16_000)
            (folder / f"{item.id}.txt").write_text(item.text or "")
    os.truncate(folder / f"{COMMANDS[0]}.wav", 3000)
    command = [
        "train",
        "--data",
        str(folder),
        "--from",
        "commands",
        "--output",
        str(tmp_path / "out"),
        "--threads",
        "1",
    ]
    command += ["training.epochs=1", "training.plots=false"]
    assert run(command) == FAILED_INPUTS
    said = capsys.readouterr().err
    assert "Left out, 1 in all; listed in" in said
    assert f"{COMMANDS[0]}.wav: is cut off" in (tmp_path / "out" / "recordings.jsonl.left_out.txt").read_text()
    (folder / f"{COMMANDS[0]}.wav").unlink()
    (folder / f"{COMMANDS[0]}.txt").unlink()
    assert run([*command, "--resume"]) == 0
    assert run(command) == WRONG_USE
    assert "holds a run already" in capsys.readouterr().err


def test_a_model_is_exported_into_no_file_no_held_folder_and_over_no_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("x")
    export = ["model", "export", "commands", str(tmp_path / "out")]
    for command in (export[:-1], ["train", str(CONF / "commands.yaml"), "--output"], ["prepare", "folder", str(DATA)]):
        assert run([*command, str(tmp_path / "file")]) == WRONG_USE
        reason = "no file can be written there (Not a directory)"
        if command[0] != "model":  # the lock of the folder says it
            reason = "is no folder that can be written (it is a file)"
        assert f"file: {reason}" in capsys.readouterr().err
    with held(tmp_path / "out"):
        assert run(export) == WRONG_USE
    assert f"process {os.getpid()} on " in capsys.readouterr().err
    assert run(export) == 0
    assert run(export) == WRONG_USE
    assert "holds a finished model. Name another folder, or replace it with --overwrite." in capsys.readouterr().err
    assert run([*export, "--overwrite"]) == 0


def test_a_configuration_that_is_no_utf8_is_a_mistake_of_its_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"# caf\xe9\n")
    assert run(["train", str(tmp_path / "latin.yaml")]) == WRONG_USE
    assert "latin.yaml: is not UTF-8 text" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["train", "conf.yaml", "--resume", "--overwrite"], "Give one of them"),
        (["train"], r"Nothing to train: give a configuration (conf/*.yaml), or recordings with --data"),
        (["train", "--data", "mine"], "add --from en"),
        (["train", "conf.yaml", "--data", "mine", "--from", "en"], "leave 'conf.yaml' out"),
        (["train", "nothing.yaml"], "Name an existing YAML file"),
        (["train", "--data", "nowhere", "--from", "en"], "Name an existing manifest"),
        (["train", "--data", "nowhere", "--from", "english"], "en"),
    ],
)
def test_a_mistake_is_said_with_the_way_out(
    arguments: list[str],
    advice: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 2
    assert advice in capsys.readouterr().err


def test_the_largest_batches_are_told_for_each_length(capsys: pytest.CaptureFixture[str]) -> None:
    manifest = f"data.train=['{DATA / 'manifest.jsonl'}']"
    conf = Path(__file__).parents[2] / "conf" / "finetune.yaml"
    more = ["data.test_share=null", "training.dev_by_speaker=false"]
    assert run(["train", str(conf), manifest, *more, "--from", "en", "--find-batch"]) == 0
    told = capsys.readouterr().out
    assert "utterances at once" in told
    assert "The most that fits: data.batch_seconds=" in told
