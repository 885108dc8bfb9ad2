"""Real recordings are learned by heart in seconds, so that free-running search gives their texts back."""

from pathlib import Path
from typing import Any

import pytest
from matplotlib import image
from rich.console import Console

from asr_s2s.config import check_config
from asr_s2s.engine.onnx_engine import OnnxEngine
from asr_s2s.manifest import read_manifest, write_manifest
from asr_s2s.model_store.directory import load_model
from asr_s2s.training import ExperimentConfig, train
from asr_s2s.training.history import read_history

pytestmark = pytest.mark.slow

DATA = Path(__file__).parents[1] / "data"
IDS = ("lbby5a", "prac8p", "swbc1s", "0_jackson_18", "3_yweweler_37", "9_george_9")

RNN: dict[str, Any] = {
    "encoder": {
        "kind": "lstm",
        "channels": 64,
        "layers": 1,
        "dropout": 0.0,
        "stem": {"kind": "conv1d", "factor": 4},
    },
    "decoder": {"kind": "rnn", "channels": 64, "embedding": 32, "dropout": 0.0},
    "attention": {"kind": "location", "channels": 32},
}


def test_cross_entropy_alone_learns_to_read_real_recordings(tmp_path: Path) -> None:
    utterances = [one for one in read_manifest(DATA / "manifest.jsonl") if one.id in IDS]
    write_manifest(tmp_path / "train.jsonl", utterances)
    # the same recordings under other names: this run is to be good at what it has seen
    (tmp_path / "dev.jsonl").write_text((tmp_path / "train.jsonl").read_text().replace('"id": "', '"id": "again-'))
    tree = {
        "data": {
            "train": str(tmp_path / "train.jsonl"),
            "dev": str(tmp_path / "dev.jsonl"),
            "batch_seconds": 12,
            "cache": str(tmp_path / "features"),
        },
        "input": {"kind": "kaldi", "num_mels": 40},
        "vocabulary": {"kind": "characters"},
        "model": RNN,
        "losses": {"cross_entropy": {"smoothing": 0.0}},
        "training": {
            "epochs": 150,
            "learning_rate": 5e-3,
            "warmup": 20,
            "evaluate_every": 50,
            "average": 1,
            "threads": 1,
        },
        "search": {"beam": 1},
    }
    config = check_config(tree, ExperimentConfig, origin="test")
    result = train(config, output=tmp_path / "run", console=Console(quiet=True))
    records = read_history(tmp_path / "run" / "history.jsonl")
    evaluations = [record for record in records if record["event"] == "evaluation"]
    assert evaluations[-1]["dev_cross_entropy_loss"] < 0.05
    assert result.characters.errors == 0
    assert result.words.reference_length == 3 * 6 + 3
    assert OnnxEngine(tmp_path / "run").vocabulary_size == load_model(tmp_path / "run").vocabulary.size
    for name in ("loss.png", "error_rate.png", "attention.png"):
        assert image.imread(tmp_path / "run" / name).std() > 0.05  # a drawing, not an empty sheet
