import io
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console
from safetensors.numpy import load_file
from training_tiny import QUIET, tiny_experiment

from asr_s2s.decoding import SearchConfig
from asr_s2s.errors import ConfigError
from asr_s2s.training import ExperimentConfig, TrainingConfig, train
from asr_s2s.training.history import read_history
from asr_s2s.training.precision import choose_arithmetic
from asr_s2s.training.progress import ProgressReport
from asr_s2s.training.start import start

pytestmark = pytest.mark.unit

SHORT = SearchConfig(beam=1, max_tokens_per_frame=0.1, length_margin=2)
BASE: dict[str, Any] = {
    "epochs": 3,
    "accumulate": 1,
    "dev_search": SHORT,
    "samples": 1,
    "alarm_after": 99,
    "keep": 2,
    "average": 1,
    "dev_share": 0.1,
    "dev_by_speaker": False,
    "checkpoint_minutes": None,
}
# A value for each field that a run cannot take without doing something else than with the ones above.
OTHER_VALUES: dict[str, Any] = {
    "epochs": 1,
    "minutes": 1e-6,
    "learning_rate": 1e-2,
    "warmup": 1,
    "decay": "linear",
    "floor": 1.0,
    "weight_decay": 0.9,
    "dropout": 0.9,
    "clip": 1e-3,
    "accumulate": 2,
    "precision": "bfloat16",
    "tensorboard": True,
    "seed": 7,
    "threads": 2,
    "evaluate_every": 2,
    "dev_utterances": 1,
    "dev_share": 0.9,
    "dev_by_speaker": True,
    "dev_search": SearchConfig(beam=1, max_tokens_per_frame=0.5, length_margin=0),
    "samples": 2,
    "alarm_after": 0,
    "plots": True,
    "average": 3,
    "keep": 1,
    "checkpoint_minutes": 1e-6,
    "checkpoint_steps": 1,
    "rates": {"encoder": 0.0},
    "patience": 1,
    "log_every": 2,
}


def experiment(folder: Path, field: str, **training: Any) -> ExperimentConfig:
    config = tiny_experiment(folder)
    update = {
        "training": config.training.model_copy(update=training),
        "search": SHORT,
        "data": config.data.model_copy(
            # the development set is taken from the training data where that is what the field decides about
            update={"dev": None} if field in ("dev_share", "dev_by_speaker") else {"batch_seconds": 2.0}
        ),
    }
    return config.model_copy(update=update)


def what_happens(config: ExperimentConfig, folder: Path) -> tuple[Any, ...]:
    """Run, and give all that can be seen of it: the records, the files, the words, the weights."""
    written = io.StringIO()
    train(config, output=folder, console=Console(file=written, width=300))
    clocks = ("seconds", "frames_per_second", "idle")
    records = [
        {key: value for key, value in one.items() if key not in clocks}
        for one in read_history(folder / "history.jsonl")
    ]
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
    # the tensors alone: a file's metadata stand in another order each time
    weights = [(name, tensor.tobytes()) for name, tensor in sorted(load_file(folder / "model.safetensors").items())]
    return (
        records,
        files,
        re.sub(r"[\d.]+ min\b|in [\d.]+ minutes|[\d,]+ frames a second|data [\d.]+%", "", written.getvalue()),
        weights,
    )


def test_the_list_of_other_values_is_complete() -> None:
    """Graphs take many seconds: slow/test_training_learns.py has them."""
    assert OTHER_VALUES.keys() | {"device", "compile", "graphs"} == TrainingConfig.model_fields.keys()


@pytest.mark.parametrize("field", OTHER_VALUES)
def test_every_field_of_the_training_configuration_changes_what_a_run_does(field: str, tmp_path: Path) -> None:
    usual = what_happens(experiment(tmp_path, field, **BASE), tmp_path / "usual")
    other = what_happens(experiment(tmp_path, field, **BASE | {field: OTHER_VALUES[field]}), tmp_path / "other")
    assert usual != other


def test_the_same_configuration_does_the_same_twice(tmp_path: Path) -> None:
    config = experiment(tmp_path, "", **BASE)
    assert what_happens(config, tmp_path / "one") == what_happens(config, tmp_path / "two")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU, so that asking for it is no mistake")
def test_a_device_that_is_not_there_is_refused_with_the_way_out(tmp_path: Path) -> None:
    config = tiny_experiment(tmp_path, device="cuda")
    with pytest.raises(ConfigError, match=r"training\.device: 'cuda' .* Set it to auto or cpu"):
        start(config, output=tmp_path / "run", resume=False, initial=None, report=ProgressReport(QUIET))


@pytest.mark.parametrize("slow_one", ["float32", "bfloat16"])
def test_automatic_precision_takes_what_was_faster_and_leaves_no_trace(
    slow_one: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = torch.nn.Linear(4, 1)
    clock = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: clock[0])

    def loss_of(arithmetic: str) -> torch.Tensor:
        clock[0] += 2.0 if arithmetic == slow_one else 1.0
        return model(torch.rand(3, 4)).sum()

    before = torch.get_rng_state()
    chosen = choose_arithmetic("auto", device=torch.device("cpu"), loss_of=loss_of, model=model)
    assert chosen != slow_one
    assert torch.equal(torch.get_rng_state(), before)
    assert all(parameter.grad is None for parameter in model.parameters())
