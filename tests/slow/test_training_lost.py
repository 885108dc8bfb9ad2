"""Recordings, disks and folders that go away before or while a run trains: nothing that was learned is lost."""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from shutil import copy, copytree, rmtree
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console
from safetensors import SafetensorError
from safetensors.torch import load_file
from training_tiny import DATA, QUIET, TRAIN, tiny_experiment

from asr_s2s.audio import read_audio, write_audio
from asr_s2s.data.config import NoiseConfig
from asr_s2s.errors import AudioError, CheckpointError, ConfigError, ManifestError
from asr_s2s.manifest import read_manifest
from asr_s2s.model_store import weights as weights_module
from asr_s2s.training import ExperimentConfig, find_batch, loop, memory, train
from asr_s2s.training import run as run_module
from asr_s2s.training.checkpoints import latest_checkpoint
from asr_s2s.training.history import read_history

pytestmark = pytest.mark.slow

LOST = "swbc1s"  # one of the recordings that are trained on


def own_recordings(folder: Path, *, durations: bool = True, **training: Any) -> ExperimentConfig:
    """Give an experiment whose recordings are copies, read anew in every epoch, and whose features need no others."""
    config = tiny_experiment(folder, **training)
    (folder / "sound").mkdir(exist_ok=True)
    for name in ("train", "dev"):
        lines = []
        for one in read_manifest(folder / f"{name}.jsonl"):
            path = copy(one.audio_path, folder / "sound" / f"{one.id}.ogg")
            line = {"id": one.id, "audio_filepath": str(path), "duration": one.duration, "text": one.text}
            lines.append({key: value for key, value in line.items() if durations or key != "duration"})
        write_lines(folder / f"{name}.jsonl", lines)
    features = config.input.model_copy(update={"normalize": "utterance"})
    data = config.data.model_copy(update={"cache": None})
    return config.model_copy(update={"input": features, "data": data})


def write_lines(manifest: Path, lines: list[dict[str, Any]]) -> None:
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))


def edit(manifest: Path, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
    """Change or remove the lines of a manifest."""
    changed = (change(json.loads(line)) for line in manifest.read_text().splitlines())
    write_lines(manifest, [line for line in changed if line is not None])


def lose(folder: Path, *names: str) -> None:
    for name in names:
        (folder / "sound" / f"{name}.ogg").unlink()


def bring_back(folder: Path, *names: str) -> None:
    for one in read_manifest(DATA / "manifest.jsonl"):
        if one.id in names:
            copy(one.audio_path, folder / "sound" / f"{one.id}.ogg")


def at_steps(monkeypatch: pytest.MonkeyPatch, actions: dict[int, Callable[[], object]]) -> None:
    """Do things just before updates, each once; batches are then made when they are needed, none ahead."""
    waiting, usual, load = dict(actions), loop.learning_rate, run_module.load_batches

    def learning_rate(updates: int, progress: float, **options: Any) -> float:
        waiting.pop(updates, lambda: None)()
        return usual(updates, progress, **options)

    monkeypatch.setattr(loop, "learning_rate", learning_rate)
    monkeypatch.setattr(run_module, "load_batches", lambda *given, **options: load(*given, **options | {"workers": 0}))


def the_power_goes() -> None:
    raise RuntimeError("the power went")


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def assert_same_weights(one: Path, other: Path) -> None:
    first, second = weights(one), weights(other)
    assert first.keys() == second.keys()
    assert all(torch.equal(value, second[name]) for name, value in first.items())


def left_out(folder: Path) -> dict[str, str]:
    return {one.id: one.extra["reason"] for one in read_manifest(folder / "left_out.jsonl")}


def test_the_plan_is_the_same_whether_a_recording_is_lost_before_the_run_or_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = own_recordings(tmp_path)
    lose(tmp_path, LOST)
    train(config, output=tmp_path / "before", console=QUIET)
    bring_back(tmp_path, LOST)
    usual = loop.start

    def start(*given: Any, **options: Any) -> Any:
        found = usual(*given, **options)
        lose(tmp_path, LOST)  # its header was read
        return found

    monkeypatch.setattr(loop, "start", start)
    assert train(config, output=tmp_path / "in", console=QUIET).left_out == 1
    assert_same_weights(tmp_path / "before", tmp_path / "in")
    for folder in (tmp_path / "before", tmp_path / "in"):
        assert list(left_out(folder)) == [LOST]
        assert f"{LOST}.ogg: there is no such file" in left_out(folder)[LOST]
        assert "Left out: 1 recording that could not be read." in (folder / "README.md").read_text()


@pytest.mark.parametrize(("durations", "removed"), [(True, True), (False, False), (False, True)])
def test_a_run_that_lost_a_recording_is_resumed_to_the_bit_whether_its_line_stays_or_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, durations: bool, removed: bool
) -> None:
    config = own_recordings(tmp_path, durations=durations, checkpoint_steps=1)
    at_steps(monkeypatch, {1: lambda: lose(tmp_path, LOST)})
    train(config, output=tmp_path / "whole", console=QUIET)
    bring_back(tmp_path, LOST)
    at_steps(monkeypatch, {1: lambda: lose(tmp_path, LOST), 3: the_power_goes})
    with pytest.raises(RuntimeError, match="the power went"):
        train(config, output=tmp_path / "broken", console=QUIET)
    if removed:
        edit(tmp_path / "train.jsonl", lambda line: None if line["id"] == LOST else line)
    train(config, output=tmp_path / "broken", resume=True, console=QUIET)
    assert_same_weights(tmp_path / "whole", tmp_path / "broken")
    assert list(left_out(tmp_path / "whole")) == list(left_out(tmp_path / "broken")) == [LOST]


def test_a_recording_that_is_corrected_or_comes_back_is_learned_from_again(tmp_path: Path) -> None:
    config = own_recordings(tmp_path, epochs=1)
    stated: list[float] = []

    def misstate(line: dict[str, Any]) -> dict[str, Any]:
        stated.append(line["duration"])
        return line | {"duration": 3 * line["duration"]} if line["id"] == LOST else line

    edit(tmp_path / "train.jsonl", misstate)
    said = io.StringIO()
    console = Console(file=said, width=500)
    train(config, output=tmp_path / "run", console=console)
    assert "were stated. Correct the manifest or the file." in left_out(tmp_path / "run")[LOST]
    assert said.getvalue().startswith("4 utterances")
    said.truncate(0)
    edit(tmp_path / "train.jsonl", lambda line: line | {"duration": stated.pop(0)})
    more = config.model_copy(update={"training": config.training.model_copy(update={"epochs": 2})})
    train(more, output=tmp_path / "run", resume=True, console=console)
    assert said.getvalue().lstrip("\0").startswith("5 utterances")
    assert list(left_out(tmp_path / "run")) == [LOST]  # it was left out for an epoch


def test_what_judges_the_model_is_decoded_before_the_first_step_and_all_faults_are_told_at_once(tmp_path: Path) -> None:
    config = own_recordings(tmp_path)
    whole = read_manifest(tmp_path / "train.jsonl")[0]
    damaged = tmp_path / "damaged.wav"
    copy(whole.audio_path, tmp_path / "cut.ogg")
    os.truncate(tmp_path / "cut.ogg", (tmp_path / "cut.ogg").stat().st_size // 2)  # its header is whole
    damaged.write_bytes(b"<html>404 not found</html>")
    lines = {
        "test": {"id": "t", "audio_filepath": "cut.ogg", "text": "one"},
        "general": {"id": "g", "audio_filepath": "nosuch.wav", "duration": 1.0, "text": "two"},
        "noise": {"id": "n", "audio_filepath": "damaged.wav", "duration": 1.0},
    }
    for name, line in lines.items():
        write_lines(tmp_path / f"{name}.jsonl", [line])
    lose(tmp_path, "prac8p")  # of the development set
    augment = config.data.augment.model_copy(update={"noise": NoiseConfig(manifest=str(tmp_path / "noise.jsonl"))})
    paths = {name: (str(tmp_path / f"{name}.jsonl"),) for name in ("test", "general")}
    config = config.model_copy(update={"data": config.data.model_copy(update={**paths, "augment": augment})})
    with pytest.raises(ManifestError, match=r"^4 recordings to evaluate on or to mix in cannot be read\.") as error:
        train(config, output=tmp_path / "run", console=QUIET)
    for place in (
        "test.jsonl:1: utterance 't': ",
        "general.jsonl:1: utterance 'g': ",
        "noise.jsonl:1: utterance 'n': ",
    ):
        assert place in str(error.value)
    assert "prac8p.ogg: there is no such file" in str(error.value)
    assert not (tmp_path / "run").exists()


def test_a_lost_recording_of_the_development_set_costs_no_step_and_may_be_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = own_recordings(tmp_path)
    train(config, output=tmp_path / "whole", console=QUIET)
    at_steps(monkeypatch, {3: lambda: lose(tmp_path, "prac8p")})
    with pytest.raises(AudioError, match=r"prac8p\.ogg: there is no .*step-00000004 is whole: go on with --resume\."):
        train(config, output=tmp_path / "run", console=QUIET)
    with pytest.raises(ManifestError, match="1 recording to evaluate on"):
        train(config, output=tmp_path / "run", resume=True, console=QUIET)
    removed = tmp_path / "removed"
    copytree(tmp_path / "run", removed)
    bring_back(tmp_path, "prac8p")
    train(config, output=tmp_path / "run", resume=True, console=QUIET)
    assert_same_weights(tmp_path / "whole", tmp_path / "run")
    events = [[one["event"] for one in read_history(tmp_path / name / "history.jsonl")] for name in ("whole", "run")]
    assert events[0] == events[1]
    lose(tmp_path, "prac8p")
    edit(tmp_path / "dev.jsonl", lambda line: None if line["id"] == "prac8p" else line)
    assert train(config, output=removed, resume=True, console=QUIET).epochs == 3


def test_a_disk_with_all_recordings_that_goes_away_ends_the_run_where_it_can_be_resumed_to_the_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = own_recordings(tmp_path, checkpoint_minutes=None)
    train(config, output=tmp_path / "whole", console=QUIET)
    with monkeypatch.context() as patch:
        at_steps(patch, {3: lambda: lose(tmp_path, *TRAIN)})
        with pytest.raises(AudioError, match=r"cannot be read any more; .*step-00000004 is whole: go on with --resume"):
            train(config, output=tmp_path / "run", console=QUIET)
    with pytest.raises(ManifestError, match="No recording to train on can be read"):
        train(config, output=tmp_path / "run", resume=True, console=QUIET)
    bring_back(tmp_path, *TRAIN)
    assert train(config, output=tmp_path / "run", resume=True, console=QUIET).left_out == 0
    assert_same_weights(tmp_path / "whole", tmp_path / "run")


@pytest.mark.parametrize("error", [OSError(28, "No space left on device", "history.jsonl"), OSError(5, "I/O error")])
def test_a_disk_that_fails_between_two_checkpoints_costs_no_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    config = tiny_experiment(tmp_path, checkpoint_minutes=None)
    train(config, output=tmp_path / "whole", console=QUIET)

    def fail(*_: Any, **__: Any) -> None:
        raise error

    with monkeypatch.context() as patch:
        at_steps(patch, {2: lambda: patch.setattr(loop, "_log", fail)})  # in the middle of an epoch
        with pytest.raises(CheckpointError, match=f"{error.strerror}.*step-00000003 is whole: go on with --resume"):
            train(config, output=tmp_path / "run", console=QUIET)
    train(config, output=tmp_path / "run", resume=True, console=QUIET)
    assert_same_weights(tmp_path / "whole", tmp_path / "run")


def test_a_disk_that_does_not_take_a_checkpoint_is_told_apart_from_a_full_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tiny_experiment(tmp_path, checkpoint_minutes=None)
    train(config, output=tmp_path / "whole", console=QUIET)

    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        at_steps(patch, {3: lambda: patch.setattr(os, "fsync", fail)})
        with pytest.raises(CheckpointError, match=r"Input/output error.*step-00000002 is whole: go on") as told:
            train(config, output=tmp_path / "run", console=QUIET)
    assert "Make room" not in str(told.value)
    train(config, output=tmp_path / "run", resume=True, console=QUIET)
    assert_same_weights(tmp_path / "whole", tmp_path / "run")


def test_a_disk_that_is_full_when_the_model_is_written_costs_no_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tiny_experiment(tmp_path, epochs=1)
    usual = loop.finish

    def finish(*given: Any, **options: Any) -> Any:
        def full(*_: Any, **__: Any) -> None:
            raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

        monkeypatch.setattr(weights_module, "save_file", full)
        return usual(*given, **options)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "finish", finish)
        told = (
            r"run/model\.safetensors: cannot be written .*No space left.* MB are free\. .*step-00000002 is whole: go on"
        )
        with pytest.raises(CheckpointError, match=told):
            train(config, output=tmp_path / "run", console=QUIET)
    monkeypatch.undo()
    assert train(config, output=tmp_path / "run", resume=True, console=QUIET).steps == 2
    assert weights(tmp_path / "run")


def test_a_clock_that_jumps_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tiny_experiment(tmp_path, checkpoint_steps=1, keep=1, average=1)
    train(config, output=tmp_path / "whole", console=QUIET)
    jumps = iter([4e9, 0.0, 2e9, 1.0] * 10_000)
    monkeypatch.setattr(time, "time", lambda: next(jumps))
    result = train(config, output=tmp_path / "run", console=QUIET)
    assert 0 < result.minutes < 5
    assert_same_weights(tmp_path / "whole", tmp_path / "run")
    assert latest_checkpoint(tmp_path / "run").name == latest_checkpoint(tmp_path / "whole").name


def test_a_recording_too_long_for_the_memory_is_named_before_it_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = own_recordings(tmp_path, epochs=1)
    long = {"id": "long", "audio_filepath": "long.wav", "text": "lay blue at k four now " * 20}
    write_audio(tmp_path / "long.wav", np.tile(read_audio(DATA / "lbby5a.ogg"), 20), sample_rate=16_000)
    lines = (tmp_path / "train.jsonl").read_text()
    (tmp_path / "train.jsonl").write_text(lines + json.dumps(long) + "\n")
    monkeypatch.setattr(memory, "free_memory", lambda: 3e7)
    named = r"1 of 6 utterances: .*train\.jsonl:6: utterance 'long': 59\.\d s and 459 tokens need about \d+ MB"
    for work in (lambda: train(config, output=tmp_path / "run", console=QUIET), lambda: find_batch(config)):
        with pytest.raises(ManifestError, match=rf"{named}\. The longest that fits has 3\.0 s\. Cut longer ones"):
            work()
    shorter = config.model_copy(update={"data": config.data.model_copy(update={"max_seconds": 3.0})})
    said = io.StringIO()
    train(shorter, output=tmp_path / "run", console=Console(file=said, width=300))
    assert "Left out of training: 1 utterance longer than data.max_seconds" in said.getvalue()


def test_a_folder_is_trained_in_by_one_process_which_the_other_is_told(tmp_path: Path) -> None:
    config = tiny_experiment(tmp_path, epochs=1)
    hold = f"import time, pathlib; from asr_s2s.lock import held\nwith held(pathlib.Path({str(tmp_path / 'run')!r})):\n"
    command = [sys.executable, "-c", hold + " print('held', flush=True)\n time.sleep(60)"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(ConfigError, match=rf"run: process {holder.pid} on \S+, since [\d:+ -]+, writes here\."):
            train(config, output=tmp_path / "run", console=QUIET)
        holder.kill()
    train(config, output=tmp_path / "run", console=QUIET)  # the lock of a process that was killed is none
    assert not (tmp_path / "run" / ".lock").exists()


def test_a_model_is_replaced_only_when_that_is_asked_for(tmp_path: Path) -> None:
    config = tiny_experiment(tmp_path, epochs=1)
    train(config, output=tmp_path / "run", console=QUIET)
    before = weights(tmp_path / "run")
    other = config.model_copy(update={"training": config.training.model_copy(update={"seed": 7})})
    with pytest.raises(ConfigError, match=r"holds a run already\..* --overwrite"):
        train(other, output=tmp_path / "run", console=QUIET)
    rmtree(tmp_path / "run" / "checkpoints")
    for resume in (False, True):
        with pytest.raises(CheckpointError, match=r"holds a finished model\. .* --overwrite"):
            train(other, output=tmp_path / "run", resume=resume, console=QUIET)
    assert all(torch.equal(value, weights(tmp_path / "run")[name]) for name, value in before.items())
    train(other, output=tmp_path / "run", overwrite=True, console=QUIET)
    assert not all(torch.equal(value, weights(tmp_path / "run")[name]) for name, value in before.items())
    assert len(read_history(tmp_path / "run" / "history.jsonl")) == 3
