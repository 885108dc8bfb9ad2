"""Adapting a model: what is held out, what is compared, when it ends; and learning from recognised texts."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from training_tiny import DATA, QUIET, tiny_experiment

from asr_s2s.audio import SAMPLE_RATE, read_audio
from asr_s2s.audio.write import write_audio
from asr_s2s.cli.train import recognised
from asr_s2s.config import read_config
from asr_s2s.errors import ManifestError
from asr_s2s.manifest import Utterance, read_manifest
from asr_s2s.model_store.directory import SpeechSystem, load_model
from asr_s2s.recognizer import load
from asr_s2s.training import FINETUNE, ExperimentConfig, train
from asr_s2s.training.comparison import compared
from asr_s2s.training.history import read_history
from asr_s2s.training.material import read_material

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]


def with_data(config: ExperimentConfig, **data: Any) -> ExperimentConfig:
    return config.model_copy(update={"data": config.data.model_copy(update=data)})


def test_an_adapted_model_is_compared_with_the_one_it_started_from(tmp_path: Path) -> None:
    first = tiny_experiment(tmp_path, epochs=1)
    train(first, output=tmp_path / "first", console=QUIET)
    dev = str(tmp_path / "dev.jsonl")
    config = tiny_experiment(tmp_path, epochs=1)
    config = with_data(config.model_copy(update={"model": None}), dev=None, test=(dev,), general=(dev,))
    initial = load_model(tmp_path / "first")
    result = train(config, output=tmp_path / "second", initial=initial, console=QUIET, recognise=recognised)
    held_out, general = result.comparisons
    assert (held_out.name, general.name) == ("held-out recordings", "other speech")
    assert held_out.before == general.before
    assert held_out.before is not None
    assert held_out.before.plain.reference_length == held_out.after.plain.reference_length == 7
    assert held_out.utterances == 2
    card = (tmp_path / "second" / "README.md").read_text()
    assert f"- {held_out.summary}" in card
    document = json.loads((tmp_path / "second" / "result.json").read_text())
    assert document["comparisons"][0]["after"]["plain"]["reference_length"] == 7


def test_a_model_from_nothing_is_judged_on_what_is_held_out(tmp_path: Path) -> None:
    config = with_data(tiny_experiment(tmp_path, epochs=1), test=(str(tmp_path / "dev.jsonl"),), dev=None)
    (held_out,) = train(config, output=tmp_path / "run", console=QUIET, recognise=recognised).comparisons
    assert held_out.before is None
    assert held_out.summary.startswith("held-out recordings, 2 utterances: WER ")


def test_the_verdict_follows_the_plain_words_and_their_chance() -> None:
    texts = {f"u{number}": "Set white by C one, soon." for number in range(30)}
    shouted = dict.fromkeys(texts, "SET WHITE BY C ONE SOON")
    wrong = dict.fromkeys(texts, "SET WIDE BY C ONE SOON")
    better, worse = compared("x", texts, shouted, before=wrong), compared("x", texts, wrong, before=shouted)
    assert (better.verdict, worse.verdict) == ("better", "worse")
    assert better.after.plain.errors == 0
    assert better.after.raw.errors == 30 * 5  # all but C
    assert "WER 16.7% before, 0.0% after (difference -16.7% to -16.7%, p = 0.001): better" in better.summary
    assert compared("x", texts, wrong, before=wrong).verdict == "no significant difference"


def test_held_out_recordings_are_judged_by_what_the_product_gives(tmp_path: Path) -> None:
    config = with_data(tiny_experiment(tmp_path, epochs=1), test=(str(tmp_path / "dev.jsonl"),), dev=None)
    texts = {item.id: item.text or "" for item in read_manifest(tmp_path / "dev.jsonl")}

    def recognise(_: SpeechSystem, utterances: Sequence[Utterance], **__: object) -> dict[str, str]:
        return {item.id: texts[item.id].upper() for item in utterances}

    (held_out,) = train(config, output=tmp_path / "run", console=QUIET, recognise=recognise).comparisons
    assert held_out.after.plain.errors == 0
    assert held_out.after.raw.errors == held_out.after.raw.reference_length == 7


def test_a_recording_of_any_length_is_judged_as_a_user_gets_it(tmp_path: Path) -> None:
    clips = [read_audio(DATA / f"{name}.ogg") for name in ("lbby5a", "swbc1s", "prac8p")]
    write_audio(tmp_path / "long.wav", np.concatenate(clips * 5), sample_rate=SAMPLE_RATE)  # 45 s
    item = Utterance(id="long", audio_path=tmp_path / "long.wav", text="")
    gone = Utterance(id="gone", audio_path=tmp_path / "gone.wav", text="")
    found = recognised(load_model("commands"), [item, gone], device="cpu")
    assert found == {"long": load("commands").transcribe(tmp_path / "long.wav").text}
    assert len(found["long"].split()) > 60


def test_what_one_model_could_not_read_is_left_out_of_both_and_named() -> None:
    texts = {"a": "one two", "b": "six"}
    found = compared("x", texts, {"a": "one"}, before={"a": "one two", "b": "six"})
    assert (found.utterances, found.unread) == (1, ("b",))
    assert found.before is not None
    assert found.before.plain.reference_length == found.after.plain.reference_length == 2
    assert "x, 1 utterance (1 more could not be read: b): WER 0.0% before, 50.0% after" in found.summary


def test_a_share_of_the_recordings_is_held_out_and_neither_learned_nor_looked_at(tmp_path: Path) -> None:
    config = with_data(tiny_experiment(tmp_path, dev_share=0.3), dev=None, test_share=0.3)
    material = read_material(config)
    sides = [{one.id for one in side} for side in (material.train, material.dev, material.test)]
    assert all(sides)
    assert sum(map(len, sides)) == len(set.union(*sides)) == 5


def test_patience_ends_a_run_that_gets_no_better(tmp_path: Path) -> None:
    result = train(
        tiny_experiment(tmp_path, epochs=50, patience=2, learning_rate=1e-9), output=tmp_path / "run", console=QUIET
    )
    assert result.epochs == 3  # the first is the best, and two are waited for
    assert len(read_history(tmp_path / "run" / "history.jsonl")) > 3


def test_recognised_texts_are_learned_where_they_are_sure_enough(tmp_path: Path) -> None:
    config = tiny_experiment(tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "train.jsonl").read_text().splitlines()]
    said = {}
    for line, confidence in zip(lines[:3], (0.95, 0.5, 0.9), strict=True):
        said[line["id"]] = line["pred_text"] = line.pop("text").upper()
        line["confidence"] = confidence
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    material = read_material(with_data(config, min_confidence=0.9))
    texts = {one.id: one.text for one in material.train}
    assert material.unsure == 1
    assert lines[1]["id"] not in texts
    assert texts[lines[0]["id"]] == said[lines[0]["id"]]
    assert texts[lines[3]["id"]] == lines[3]["text"]
    del lines[0]["confidence"]
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(ManifestError, match=r"1 utterances have neither text nor pred_text .*asr-s2s transcribe"):
        read_material(with_data(config, min_confidence=0.9))


def test_held_out_recordings_have_texts_of_their_own_not_recognised_ones(tmp_path: Path) -> None:
    config = tiny_experiment(tmp_path)
    items = read_manifest(tmp_path / "train.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "train.jsonl").read_text().splitlines()]
    for line in lines[:3]:
        line |= {"pred_text": line.pop("text"), "confidence": 1.0}
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    material = read_material(with_data(config, min_confidence=0.5, dev=None))
    assert {one.id for one in material.dev} < {one.id for one in items[3:]}
    assert len(material.train) == 4


def test_the_configuration_for_adapting_is_in_the_package_and_in_conf() -> None:
    config = read_config(FINETUNE, ExperimentConfig)
    assert config == read_config(ROOT / "conf" / "finetune.yaml", ExperimentConfig)
    assert config.model is None
