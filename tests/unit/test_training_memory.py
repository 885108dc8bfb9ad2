"""Batches that do not fit: what is foreseen, what is caught, and that halves teach what the whole would have."""

import multiprocessing
import re
import resource
from pathlib import Path
from typing import Any

import pytest
import torch
from training_tiny import QUIET, tiny_experiment

from asr_s2s.models.encoders.transformer import TransformerConfig
from asr_s2s.training import ExperimentConfig, advised, find_batch, loop, memory, train
from asr_s2s.training import run as run_module
from asr_s2s.training.find_batch import Bucket
from asr_s2s.training.history import read_history
from asr_s2s.training.memory import MemoryNeed, free_memory, is_out_of_memory, measure_need

pytestmark = pytest.mark.unit


def all_at_once(folder: Path) -> ExperimentConfig:
    """Give an experiment without dropout whose five utterances make one batch."""
    config = tiny_experiment(folder, accumulate=1, epochs=2, average=1)
    model = config.model.model_copy(
        update={
            "encoder": config.model.encoder.model_copy(update={"dropout": 0.0}),
            "decoder": config.model.decoder.model_copy(update={"dropout": 0.0}),
        }
    )
    return config.model_copy(update={"model": model, "data": config.data.model_copy(update={"batch_seconds": 100.0})})


def losses_of(folder: Path) -> list[float]:
    return [record["cross_entropy_loss"] for record in read_history(folder / "history.jsonl") if "ctc_loss" in record]


def test_a_batch_that_does_not_fit_is_halved_and_teaches_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    train(all_at_once(tmp_path), output=tmp_path / "whole", console=QUIET)
    usual, sizes = loop.forward, []

    def forward(system: Any, batch: Any, **options: Any) -> Any:
        sizes.append(len(batch))
        if len(batch) > 2:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 7 bytes.")
        return usual(system, batch, **options)

    monkeypatch.setattr(loop, "forward", forward)
    train(all_at_once(tmp_path), output=tmp_path / "halved")
    assert sizes[:6] == [5, 2, 3, 2, 1, 2]  # the three are halved, and the step begins again without its gradients
    assert losses_of(tmp_path / "halved") == pytest.approx(losses_of(tmp_path / "whole"), rel=1e-5)
    said = capsys.readouterr().err
    assert "step 1: out of memory with 5 utterances of up to" in said
    assert "halved: " in said
    assert "--find-batch" in said


def test_an_utterance_that_does_not_fit_alone_is_named_and_the_others_are_learned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    usual = loop.forward

    def forward(system: Any, batch: Any, **options: Any) -> Any:
        if "lbby5a" in batch.ids:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return usual(system, batch, **options)

    monkeypatch.setattr(loop, "forward", forward)
    result = train(all_at_once(tmp_path), output=tmp_path / "run")
    assert result.steps == 2
    assert "'lbby5a' is left out of this step. Cut it into pieces." in capsys.readouterr().err


def test_another_error_is_not_taken_for_lack_of_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forward(*_: Any, **__: Any) -> Any:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(loop, "forward", forward)
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        train(all_at_once(tmp_path), output=tmp_path / "run", console=QUIET)


def test_what_needs_more_than_is_free_is_halved_before_the_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    train(all_at_once(tmp_path), output=tmp_path / "whole", console=QUIET)
    monkeypatch.setattr(run_module, "free_memory", lambda: 1e6)
    train(all_at_once(tmp_path), output=tmp_path / "halved")
    assert losses_of(tmp_path / "halved") == pytest.approx(losses_of(tmp_path / "whole"), rel=1e-5)
    said = capsys.readouterr().err
    assert re.search(r"step 1: 5 utterances of up to \d+ frames need about \d+ MB, 1 MB are free; halved: ", said)


def test_the_need_of_a_batch_follows_from_single_utterances() -> None:
    encoder = TransformerConfig.model_validate(
        {"kind": "transformer", "channels": 32, "heads": 4, "layers": 2, "feedforward": 64}
    ).build(20)

    def loss_of(frames: int, tokens: int, utterances: int = 1) -> torch.Tensor:
        found = encoder(torch.randn(utterances, frames, 20), torch.full((utterances,), frames))[0]
        attention = torch.tanh(found[:, None] + torch.zeros(utterances, tokens, 1, 1, requires_grad=True))
        return attention.sum()

    need = measure_need(encoder, loss_of)
    kept = memory._kept_by(encoder, lambda: loss_of(2800, 150, utterances=6))
    size = {"frames": 2800, "tokens": 150}
    assert need.of(**size, utterances=6) == pytest.approx(memory.WORKING * kept, rel=0.02)  # rounded lengths
    assert need.utterances(**size, memory=need.of(**size, utterances=6) + 1) == 6


def test_weights_count_for_nothing_even_as_views() -> None:
    model = torch.nn.Linear(1000, 1000, bias=False)
    features = torch.ones(2, 1000)
    kept = memory._kept_by(model, lambda: torch.mm(features, model.weight.t()).sum())
    assert kept == features.nbytes


def test_an_allocation_that_fails_is_known_as_such() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**55)
    assert is_out_of_memory(caught.value)
    assert is_out_of_memory(MemoryError())
    assert not is_out_of_memory(RuntimeError("expected scalar type Long"))


def _free_under_a_limit(extra: int, found: Any) -> None:
    taken = memory._field(Path("/proc/self/status"), "VmSize")
    assert taken is not None
    resource.setrlimit(resource.RLIMIT_AS, (int(taken) + extra, resource.RLIM_INFINITY))
    found.value = free_memory()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells what a process takes")
def test_a_limit_on_the_address_space_counts() -> None:
    forks = multiprocessing.get_context("fork")
    found = forks.Value("d", 0.0)
    process = forks.Process(target=_free_under_a_limit, args=(64 * 2**20, found))
    process.start()
    process.join()
    assert 0 < found.value <= memory.USED * 64 * 2**20


def test_the_advised_batch_fits_every_length() -> None:
    per_frame, per_square, room = 2e5, 3e2, 8e10
    need = MemoryNeed((0.0, per_frame, 0.0, per_square, 0.0, 0.0))
    lengths = (2, 5, 10, 20, 35)
    buckets = [Bucket(each, need.utterances(frames=100 * each, tokens=0, memory=room)) for each in lengths]
    batch_seconds, quadratic_seconds = advised(buckets)
    assert quadratic_seconds == pytest.approx(per_frame / per_square / 100, rel=0.05)
    for bucket in buckets:
        fitting = batch_seconds / (bucket.seconds + bucket.seconds**2 / quadratic_seconds)
        assert 0.7 * bucket.utterances < fitting <= bucket.utterances + 1e-6


def test_recordings_of_one_length_tell_nothing_of_the_square() -> None:
    assert advised([Bucket(3.0, 100)]) == (300.0, None)
    assert advised([Bucket(3.0, 100), Bucket(4.0, 70)]) == (280.0, None)


def test_finding_the_batch_measures_every_length_and_writes_nothing(tmp_path: Path) -> None:
    buckets = find_batch(all_at_once(tmp_path))
    assert len(buckets) >= 3
    assert [bucket.seconds for bucket in buckets] == sorted(bucket.seconds for bucket in buckets)
    counts = [bucket.utterances for bucket in buckets]
    assert counts == sorted(counts, reverse=True)
    assert {path.name for path in tmp_path.iterdir()} == {"train.jsonl", "dev.jsonl", "features"}
