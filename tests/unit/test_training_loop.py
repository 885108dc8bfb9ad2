import io
import json
import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file
from training_tiny import QUIET, TRAIN, tiny_experiment

from asr_s2s.decoding import SearchConfig
from asr_s2s.errors import AsrError, ConfigError, ManifestError
from asr_s2s.manifest import read_manifest
from asr_s2s.model_store.directory import load_model
from asr_s2s.training import loop, train
from asr_s2s.training.checkpoints import latest_checkpoint
from asr_s2s.training.history import read_history
from asr_s2s.training.run import Pace

pytestmark = pytest.mark.unit

CLOCKS = ("seconds", "frames_per_second", "idle")


def test_the_pace_counts_waiting_once_and_all_that_a_step_takes_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    pace = Pace()
    monkeypatch.setattr(time, "monotonic", lambda: 10.0)
    pace.add(frames=800.0, waited=1.0, since=6.0)  # a second for data, one for the teacher, two for the model
    assert pace.frames_per_second == pytest.approx(200.0)
    assert pace.idle == pytest.approx(0.25)


def without_clocks(folder: Path) -> list[dict[str, Any]]:
    records = read_history(folder / "history.jsonl")
    return [{key: value for key, value in record.items() if key not in CLOCKS} for record in records]


def stop_at(monkeypatch: pytest.MonkeyPatch, step: int, action: Any) -> None:
    """Do something in the middle of the run, just before the given update."""
    usual = loop.learning_rate

    def learning_rate(updates: int, progress: float, **options: Any) -> float:
        if updates == step:
            action()
        return usual(updates, progress, **options)

    monkeypatch.setattr(loop, "learning_rate", learning_rate)


def crash() -> None:
    raise RuntimeError("the power went")


def assert_same_run(one: Path, other: Path) -> None:
    first, second = latest_checkpoint(one), latest_checkpoint(other)
    assert first is not None
    assert second is not None
    assert first.name == second.name
    for file in ("model.safetensors", "optimizer.safetensors"):
        before, after = load_file(first / file), load_file(second / file)
        assert before.keys() == after.keys()
        for name, value in before.items():
            assert torch.equal(value, after[name]), name
    assert without_clocks(one) == without_clocks(other)
    states = [json.loads((folder / "training_state.json").read_text())["state"] for folder in (first, second)]
    assert states[0] | {"seconds": 0} == states[1] | {"seconds": 0}


def test_a_run_that_crashed_and_was_resumed_equals_an_unbroken_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tiny_experiment(tmp_path, checkpoint_steps=1)  # dropout and SpecAugment draw random numbers in each step
    train(config, output=tmp_path / "whole", console=QUIET)
    steps = [record["step"] for record in read_history(tmp_path / "whole" / "history.jsonl")]
    assert max(steps) >= 6  # several steps an epoch, so that a crash can hit the middle of one

    for step in (1, 4):
        with monkeypatch.context() as patch:
            stop_at(patch, step, crash)
            with pytest.raises(RuntimeError, match="the power went"):
                train(config, output=tmp_path / "broken", resume=True, console=QUIET)
    torch.rand(100)  # what the process did in between must not matter
    train(config, output=tmp_path / "broken", resume=True, console=QUIET)
    assert_same_run(tmp_path / "whole", tmp_path / "broken")
    assert load_file(tmp_path / "whole" / "model.safetensors").keys()
    for name, value in load_file(tmp_path / "whole" / "model.safetensors").items():
        assert torch.equal(load_file(tmp_path / "broken" / "model.safetensors")[name], value), name


def test_work_after_the_last_checkpoint_is_done_again_and_the_history_holds_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tiny_experiment(tmp_path)  # checkpoints after each epoch only
    train(config, output=tmp_path / "whole", console=QUIET)
    with monkeypatch.context() as patch:
        stop_at(patch, 5, crash)
        with pytest.raises(RuntimeError, match="the power went"):
            train(config, output=tmp_path / "broken", console=QUIET)
    kept = latest_checkpoint(tmp_path / "broken")
    assert kept is not None
    lost = read_history(tmp_path / "broken" / "history.jsonl")[-1]["step"]
    assert lost == 5
    assert kept.name == "step-00000004"
    train(config, output=tmp_path / "broken", resume=True, console=QUIET)
    assert_same_run(tmp_path / "whole", tmp_path / "broken")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_finishes_its_step_saves_itself_and_obeys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    obeyed = []
    usual = signal.signal(number, lambda *_: obeyed.append(number))
    try:
        with monkeypatch.context() as patch:
            stop_at(patch, 1, lambda: os.kill(os.getpid(), number))
            patch.setattr(loop, "finish", lambda *_, **__: None)
            train(tiny_experiment(tmp_path, epochs=1), output=tmp_path / "run", console=QUIET)
    finally:
        signal.signal(number, usual)
    assert obeyed == [number]
    assert (tmp_path / "run" / "checkpoints" / "step-00000002").is_dir()


def test_the_result_is_a_model_directory_whose_weights_are_the_mean_of_the_best_or_the_best(tmp_path: Path) -> None:
    result = train(tiny_experiment(tmp_path), output=tmp_path / "run", console=QUIET, command="asr-s2s train tiny.yaml")
    system = load_model(tmp_path / "run")
    newest = latest_checkpoint(tmp_path / "run")
    assert newest is not None
    best = json.loads((newest / "training_state.json").read_text())["state"]["best"]
    folders = [tmp_path / "run" / "checkpoints" / f"step-{candidate['step']:08d}" for candidate in best]
    states = [load_model(folder).model.state_dict() for folder in folders[: result.averaged]]
    for name, value in system.model.state_dict().items():
        mean = sum(state[name].double() for state in states) / len(states)
        assert torch.equal(value, mean.to(value.dtype)), name
    card = (tmp_path / "run" / "README.md").read_text()
    assert "    asr-s2s train tiny.yaml\n" in card
    assert "CC BY 4.0" in card or "CC-BY-4.0" in card
    scores = json.loads((tmp_path / "run" / "result.json").read_text())
    assert scores["words"]["reference_length"] == 7  # "place red at c eight please" and "zero"
    assert scores["wer"] == result.words.rate


def test_accumulated_batches_give_the_gradient_of_their_tokens_together(tmp_path: Path) -> None:
    first_losses = []
    for accumulate, batch_seconds in ((1, 100.0), (2, 3.0)):
        config = tiny_experiment(tmp_path, accumulate=accumulate, epochs=1)
        model = config.model.model_copy(update={"ctc": False, "length": False})
        data = config.data.model_copy(update={"batch_seconds": batch_seconds, "train": (str(tmp_path / "two.jsonl"),)})
        lines = (tmp_path / "train.jsonl").read_text().splitlines(keepends=True)
        (tmp_path / "two.jsonl").write_text("".join(lines[:2]))
        config = config.model_copy(update={"data": data, "model": _without_dropout(model)})
        train(config, output=tmp_path / f"run{accumulate}", console=QUIET)
        first_losses.append(read_history(tmp_path / f"run{accumulate}" / "history.jsonl")[0])
    one, two = first_losses
    assert one["cross_entropy_loss"] == pytest.approx(
        two["cross_entropy_loss"], rel=1e-5
    )  # float32 sums in other order
    assert one["gradient_norm"] == pytest.approx(two["gradient_norm"], rel=1e-4)


def _without_dropout(model: Any) -> Any:
    encoder = model.encoder.model_copy(update={"dropout": 0.0})
    return model.model_copy(update={"encoder": encoder, "decoder": model.decoder.model_copy(update={"dropout": 0.0})})


def test_the_time_limit_ends_the_run_with_an_evaluation_and_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tiny_experiment(tmp_path, epochs=1000, minutes=0.02)
    result = train(config, output=tmp_path / "run", console=QUIET)
    assert result.epochs < 1000
    records = read_history(tmp_path / "run" / "history.jsonl")
    assert records[-1]["event"] == "evaluation"
    assert load_model(tmp_path / "run").vocabulary.size > 5


def test_a_loss_that_is_not_finite_stops_the_run_and_names_the_utterances(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tiny_experiment(tmp_path, accumulate=8)

    usual = loop.forward

    def broken(*arguments: Any, **options: Any) -> Any:
        output, found, *lengths = usual(*arguments, **options)
        parts = found.parts | {"ctc": found.parts["ctc"] * float("nan")}
        return output, replace(found, total=found.total + parts["ctc"], parts=parts), *lengths

    def spoil() -> None:
        monkeypatch.setattr(loop, "forward", broken)

    stop_at(monkeypatch, 1, spoil)
    with pytest.raises(AsrError, match=r"epoch 2: not a finite number: .*ctc nan") as caught:
        train(config, output=tmp_path / "run", console=QUIET)
    assert "lbby5a" in str(caught.value)
    assert "is whole: go on with --resume." in str(caught.value)
    (manifest,) = (tmp_path / "run" / "not_finite").glob("*.jsonl")
    assert str(manifest.parent) in str(caught.value)
    suspects = read_manifest(manifest)
    assert {one.id for one in suspects} == set(TRAIN)
    assert all(one.audio_path.exists() for one in suspects)
    given = load_file(manifest.with_suffix(".safetensors"))
    assert sum(len(given[name]) for name in given if name.endswith("feature_lengths")) == len(TRAIN)
    kept = latest_checkpoint(tmp_path / "run")
    assert kept is not None
    assert all(bool(value.isfinite().all()) for value in load_file(kept / "model.safetensors").values())


def test_lines_for_people_show_references_hypotheses_and_scores(tmp_path: Path) -> None:
    written = io.StringIO()
    train(tiny_experiment(tmp_path, epochs=1), output=tmp_path / "run", console=Console(file=written, width=200))
    text = written.getvalue()
    assert "5 utterances" in text
    assert "reference:  place red at c eight please" in text
    assert "WER" in text


def test_fine_tuning_starts_from_the_given_weights_and_keeps_their_vocabulary(tmp_path: Path) -> None:
    train(tiny_experiment(tmp_path, epochs=1), output=tmp_path / "first", console=QUIET)
    initial = load_model(tmp_path / "first")
    config = tiny_experiment(tmp_path, epochs=1, learning_rate=1e-9)
    config = config.model_copy(update={"input": None, "vocabulary": None, "model": None, "search": None})
    before = {name: value.clone() for name, value in initial.model.state_dict().items()}
    train(config, output=tmp_path / "second", initial=initial, console=QUIET)
    tuned = load_model(tmp_path / "second")
    assert tuned.vocabulary.size == initial.vocabulary.size
    assert tuned.config == initial.config
    for name, value in tuned.model.state_dict().items():
        assert torch.allclose(value, before[name], atol=1e-6), name  # a rate of 1e-9 moves nothing further


def test_fine_tuning_into_another_network_is_refused_and_other_search_defaults_are_taken(tmp_path: Path) -> None:
    train(tiny_experiment(tmp_path, epochs=1), output=tmp_path / "first", console=QUIET)
    initial = load_model(tmp_path / "first")
    config = tiny_experiment(tmp_path, epochs=1)
    wider = config.model_copy(update={"model": config.model.model_copy(update={"ctc": False})})
    with pytest.raises(ConfigError, match=r"model: the configuration describes another one than the model 'first' has"):
        train(wider, output=tmp_path / "second", initial=initial, console=QUIET)
    narrow = config.model_copy(update={"search": SearchConfig(beam=3)})
    train(narrow, output=tmp_path / "second", initial=initial, console=QUIET)
    assert load_model(tmp_path / "second").config.search.beam == 3


def test_a_new_model_that_is_not_described_is_refused_with_the_parts_it_lacks(tmp_path: Path) -> None:
    config = tiny_experiment(tmp_path).model_copy(update={"input": None, "model": None})
    with pytest.raises(ConfigError, match=r"input, model: missing .*--from"):
        train(config, output=tmp_path / "run", console=QUIET)


def test_fine_tuning_on_characters_that_the_model_cannot_write_names_them(tmp_path: Path) -> None:
    train(tiny_experiment(tmp_path, epochs=1), output=tmp_path / "first", console=QUIET)
    config = tiny_experiment(tmp_path)
    manifest = tmp_path / "train.jsonl"
    manifest.write_text(manifest.read_text().replace("lay blue", "l€y blue"))
    with pytest.raises(ManifestError, match=r"€.*lbby5a"):
        train(config, output=tmp_path / "second", initial=load_model(tmp_path / "first"), console=QUIET)


def test_float16_enlarges_its_losses_and_a_broken_run_equals_an_unbroken_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(tiny_experiment(tmp_path, epochs=1), output=tmp_path / "float32", console=QUIET)
    config = tiny_experiment(tmp_path, precision="float16", checkpoint_steps=1)
    train(config, output=tmp_path / "whole", console=QUIET)
    first = [read_history(tmp_path / name / "history.jsonl")[0] for name in ("float32", "whole")]
    for key in ("cross_entropy_loss", "ctc_loss", "gradient_norm"):
        assert first[1][key] == pytest.approx(first[0][key], rel=2e-2), key  # float16 keeps 3 digits
    with monkeypatch.context() as patch:
        stop_at(patch, 4, crash)
        with pytest.raises(RuntimeError, match="the power went"):
            train(config, output=tmp_path / "broken", console=QUIET)
    train(config, output=tmp_path / "broken", resume=True, console=QUIET)
    assert_same_run(tmp_path / "whole", tmp_path / "broken")
    newest = latest_checkpoint(tmp_path / "whole")
    assert newest is not None
    assert json.loads((newest / "training_state.json").read_text())["state"]["scaler"]["scale"] > 1


def test_gradients_that_overflow_in_float16_cost_a_step_and_not_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tiny_experiment(tmp_path, precision="float16", epochs=2)
    monkeypatch.setattr(torch.amp.GradScaler, "__init__", _enlarging_too_much(torch.amp.GradScaler.__init__))
    result = train(config, output=tmp_path / "run", console=QUIET)
    records = [one for one in read_history(tmp_path / "run" / "history.jsonl") if one["event"] == "train"]
    assert records[0]["gradient_norm"] is None  # infinite
    assert result.steps == len(records)
    newest = latest_checkpoint(tmp_path / "run")
    assert newest is not None
    state = json.loads((newest / "training_state.json").read_text())["state"]
    assert state["scaler"]["scale"] < 2.0**100


def _enlarging_too_much(usual: Any) -> Any:
    return lambda self, device, **options: usual(self, device, init_scale=2.0**100, **options)
