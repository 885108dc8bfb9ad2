"""A frozen encoder's states stand for the recording: same results, computed once."""

from pathlib import Path
from typing import Any

import pytest
import torch
from training_tiny import DATA, QUIET, TRAIN, tiny_experiment

from asr_s2s.config import check_config
from asr_s2s.data.dataset import SpeechDataset
from asr_s2s.errors import ConfigError
from asr_s2s.features import FrontEnd
from asr_s2s.manifest import read_manifest
from asr_s2s.model_store.directory import SpeechSystem, load_model
from asr_s2s.models import LossConfig
from asr_s2s.training import ExperimentConfig, train
from asr_s2s.training.evaluate import forward
from asr_s2s.training.frozen import encoded_front_end, frozen_layers

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def system() -> SpeechSystem:
    return load_model("en")


def dataset(system: SpeechSystem, front_end: FrontEnd, **settings: Any) -> SpeechDataset:
    recordings = [one for one in read_manifest(DATA / "manifest.jsonl") if one.id in TRAIN]
    return SpeechDataset(recordings, front_end, vocabulary=system.vocabulary, **settings)


@pytest.mark.parametrize("layers", [1, 3, 4])
def test_the_decoder_hears_the_same_in_encoded_speech(system: SpeechSystem, tmp_path: Path, layers: int) -> None:
    front_end = encoded_front_end(system, layers=layers)
    plain = dataset(system, system.front_end).batch([0, 1, 2, 3, 4])
    for _ in range(2):  # computed, then read
        encoded = dataset(system, front_end, cache=tmp_path, encoded=layers).batch([0, 1, 2, 3, 4])
        with torch.no_grad():
            heard, read = (
                forward(system, batch, losses=LossConfig(), epoch=0, with_attention=False)[0]
                for batch in (plain, encoded)
            )
        assert torch.equal(heard.encoder_lengths, read.encoder_lengths)
        difference = heard.logits.log_softmax(-1).exp() - read.logits.log_softmax(-1).exp()
        assert float(difference.abs().max()) < 0.05  # worst seen 0.014: bfloat16 has three digits


def test_encoders_share_no_states(system: SpeechSystem, tmp_path: Path) -> None:
    other = load_model("en")
    with torch.no_grad():
        other.model.encoder.layers[3].feedforward.contract.bias += 1
    first, second, below = (
        dataset(each, encoded_front_end(each, layers=layers), cache=tmp_path, encoded=layers).batch([0]).features[0, 0]
        for each, layers in ((system, 4), (other, 4), (other, 3))
    )
    assert float((second - first).mean()) == pytest.approx(1, abs=0.02)
    unchanged = dataset(system, encoded_front_end(system, layers=3), cache=tmp_path, encoded=3).batch([0]).features
    assert torch.equal(unchanged[0, 0], below)


@pytest.mark.parametrize(
    ("rates", "layers"),
    [
        ({}, None),
        ({"decoder": 0}, None),
        ({"encoder": 0}, 4),
        ({"encoder": 0, "encoder.layers.3": 0.5, "encoder.tail": 0.5}, 3),
        ({"encoder": 0, "encoder.layers.1": 0.5}, 1),
        ({"encoder": 0, "encoder.layers.0": 0.5}, None),
        ({"encoder.layers.0": 0, "encoder.layers.1": 0}, None),  # what is below them learns
        ({"encoder": 0, "encoder.stem": 1}, None),
    ],
)
def test_states_are_kept_below_the_lowest_layer_that_learns(
    system: SpeechSystem, rates: dict[str, float], layers: int | None
) -> None:
    assert frozen_layers(system.model, rates) == layers


def experiment(folder: Path, **training: Any) -> ExperimentConfig:
    tree = tiny_experiment(folder, **training).model_dump(mode="json", exclude={"input", "vocabulary", "model"})
    tree["data"]["augment"] = {}
    tree["training"]["rates"] = {"encoder": 0}
    return check_config(tree, ExperimentConfig, origin="test")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("frozen")
    train(tiny_experiment(folder, epochs=1), output=folder / "start", console=QUIET)
    train(experiment(folder), output=folder / "whole", initial=load_model(folder / "start"), console=QUIET)
    return folder


def test_all_but_the_encoder_learns_from_kept_states(trained: Path) -> None:
    before, after = (load_model(trained / name).model.state_dict() for name in ("start", "whole"))
    changed = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"decoder", "ctc_head", "length_head"}
    kept = list((trained / "features").glob("*/*/*.safetensors"))
    assert len(kept) == len(TRAIN) + len(read_manifest(trained / "dev.jsonl")) + len(TRAIN)


@pytest.mark.parametrize("distilled", [False, True])
def test_merges_are_dropped_for_byte_pairs_that_no_teacher_was_given_alone(trained: Path, distilled: bool) -> None:
    tree = experiment(trained).model_dump(mode="json", exclude_none=True)
    tree["data"]["augment"] = {"merge_dropout": [0, 1]}
    start, told = "start", "data.augment.merge_dropout: 'start' has no byte pairs"
    if distilled:
        start, told = "en", "data.augment.merge_dropout: a teacher is asked about one spelling"
        tree["losses"]["distillation"] = {"teacher": "en", "cache": str(trained / "said")}
    config = check_config(tree, ExperimentConfig, origin="test")
    with pytest.raises(ConfigError, match=told):
        train(
            config, output=trained / f"refused-{distilled}", initial=load_model(_model(trained, start)), console=QUIET
        )


def _model(folder: Path, name: str) -> str | Path:
    return name if name == "en" else folder / name
