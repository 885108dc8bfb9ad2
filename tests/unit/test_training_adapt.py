"""A padded model teaches its copy to do without the padding: the whole run, tiny."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from training_tiny import DATA, QUIET, tiny_experiment

from asr_s2s.config import check_config
from asr_s2s.errors import ConfigError, ManifestError
from asr_s2s.manifest import Utterance, read_manifest, write_manifest
from asr_s2s.model_store.directory import load_model
from asr_s2s.training import ExperimentConfig, loop, train
from asr_s2s.training.checkpoints import latest_checkpoint
from asr_s2s.training.history import read_history

pytestmark = pytest.mark.unit

WINDOW = {"kind": "whisper", "pad_to_seconds": 7.0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with manifests, a clip without speech among them, and a tiny padded model, "teacher"."""
    folder = tmp_path_factory.mktemp("adapt")
    config = tiny_experiment(folder, epochs=1)
    model = {
        "encoder": {
            "kind": "transformer",
            "channels": 16,
            "heads": 2,
            "layers": 1,
            "feedforward": 16,
            "stem": {"kind": "conv1d", "factor": 2},
        },
        "decoder": {"kind": "transformer", "channels": 16, "heads": 2, "layers": 1, "feedforward": 16},
    }
    tree = config.model_dump(mode="json") | {"input": WINDOW, "model": model}
    train(check_config(tree, ExperimentConfig, origin="test"), output=folder / "teacher", console=QUIET)
    silent = Utterance(id="dishes", audio_path=DATA / "dishes.ogg", text="", duration=4.0)
    write_manifest(folder / "train.jsonl", [*read_manifest(folder / "train.jsonl"), silent])
    return folder


def adaptation(folder: Path, **training: Any) -> ExperimentConfig:
    tree = {
        "data": {
            "train": str(folder / "train.jsonl"),
            "dev": str(folder / "dev.jsonl"),
            "batch_seconds": 6,
            "allow_empty": True,
            "augment": {"speed": [0.9, 1.0], "trailing_silence": [0.0, 0.5], "gain_db": [-10.0, 0.0]},
        },
        "input": {"kind": "whisper", "tail_seconds": 0.2},
        "losses": {
            "cross_entropy": {"weight": 0.01, "smoothing": 0.0},
            "distillation": {"teacher": str(folder / "teacher"), "cache": str(folder / "said"), "kept": 8},
        },
        "training": {
            "epochs": 2,
            "threads": 1,
            "warmup": 2,
            "plots": False,
            "graphs": False,
            "log_every": 1,
            "learning_rate": 3e-3,
        }
        | training,
    }
    return check_config(tree, ExperimentConfig, origin="test")


def test_the_learner_has_the_teachers_network_without_its_padding_and_comes_nearer_to_it(
    folder: Path, tmp_path: Path
) -> None:
    teacher = load_model(folder / "teacher")
    train(adaptation(folder, epochs=12), output=tmp_path / "run", initial=teacher, console=QUIET)
    learner = load_model(tmp_path / "run")
    assert learner.config.model == teacher.config.model
    assert learner.config.input.model_dump()["tail_seconds"] == 0.2
    assert learner.front_end.lengths(torch.tensor([16_000])).tolist() == [120]
    records = [one for one in read_history(tmp_path / "run" / "history.jsonl") if one["event"] == "train"]
    for name in ("states_loss", "divergence_loss"):
        values = [one[name] for one in records]
        assert sum(values[-6:]) < 0.9 * sum(values[:6]), name


def test_a_resumed_adaptation_equals_an_unbroken_one(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = adaptation(folder, checkpoint_steps=1)
    train(config, output=tmp_path / "whole", initial=load_model(folder / "teacher"), console=QUIET)

    def stop(updates: int, *_: Any, **options: Any) -> float:
        if updates == 2:
            raise RuntimeError("the power went")
        return usual(updates, *_, **options)

    usual = loop.learning_rate
    with monkeypatch.context() as patch:
        patch.setattr(loop, "learning_rate", stop)
        with pytest.raises(RuntimeError, match="the power went"):
            train(config, output=tmp_path / "broken", initial=load_model(folder / "teacher"), console=QUIET)
    train(config, output=tmp_path / "broken", resume=True, initial=load_model(folder / "teacher"), console=QUIET)
    for name, value in load_file(tmp_path / "whole" / "model.safetensors").items():
        assert torch.equal(load_file(tmp_path / "broken" / "model.safetensors")[name], value), name
    newest = latest_checkpoint(tmp_path / "broken")
    assert newest is not None
    assert json.loads((newest / "training_state.json").read_text())["state"]["step"] > 2


def test_features_of_another_width_than_the_models_are_refused_with_both(folder: Path, tmp_path: Path) -> None:
    config = adaptation(folder)
    features = config.input.model_copy(update={"num_mels": 128}) if config.input else None
    with pytest.raises(ConfigError, match=r"input\.num_mels: is 128, .* was trained with 80"):
        train(
            config.model_copy(update={"input": features}),
            output=tmp_path / "run",
            initial=load_model(folder / "teacher"),
            console=QUIET,
        )


def test_an_utterance_that_the_teacher_cannot_hear_whole_is_named_before_the_first_step(
    folder: Path, tmp_path: Path
) -> None:
    config = adaptation(folder)
    long = Utterance(id="long", audio_path=DATA / "LJ001-0076.ogg", text="and things got worse", duration=6.5)
    write_manifest(tmp_path / "train.jsonl", [*read_manifest(folder / "train.jsonl"), long])
    data = config.data.model_copy(update={"train": (str(tmp_path / "train.jsonl"),)})
    with pytest.raises(ManifestError, match=r"1 utterances are longer than the 7 s .*teacher' hears: long: 7\.2 s"):
        train(
            config.model_copy(update={"data": data}),
            output=tmp_path / "run",
            initial=load_model(folder / "teacher"),
            console=QUIET,
        )
