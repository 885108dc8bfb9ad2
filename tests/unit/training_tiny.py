"""A run that takes a second: six real recordings, a few thousand weights."""

from pathlib import Path
from typing import Any

from rich.console import Console

from asr_s2s.config import check_config
from asr_s2s.manifest import read_manifest, write_manifest
from asr_s2s.training import ExperimentConfig

DATA = Path(__file__).parents[1] / "data"
TRAIN = ("lbby5a", "swbc1s", "3_yweweler_37", "9_george_9", "arctic_a0015_1592748256")
DEV = ("prac8p", "0_jackson_18")
QUIET = Console(quiet=True)


def tiny_experiment(folder: Path, **training: Any) -> ExperimentConfig:
    """Give an experiment whose manifests are written into the folder; training keys override."""
    recordings = read_manifest(DATA / "manifest.jsonl")
    write_manifest(folder / "train.jsonl", [one for one in recordings if one.id in TRAIN])
    write_manifest(folder / "dev.jsonl", [one for one in recordings if one.id in DEV])
    tree = {
        "data": {
            "train": str(folder / "train.jsonl"),
            "dev": str(folder / "dev.jsonl"),
            "batch_seconds": 3,
            "cache": str(folder / "features"),
            "augment": {"specaugment": {}},
        },
        "input": {"kind": "kaldi", "num_mels": 20},
        "vocabulary": {"kind": "characters"},
        "model": {
            "encoder": {"kind": "lstm", "channels": 16, "layers": 1, "stem": {"kind": "conv1d", "factor": 4}},
            "decoder": {"kind": "rnn", "channels": 16, "embedding": 8},
            "attention": {"kind": "location", "channels": 8},
            "ctc": True,
            "length": True,
        },
        "training": {
            "epochs": 3,
            "threads": 1,
            "warmup": 4,
            "plots": False,
            "graphs": False,
            "log_every": 1,
            "accumulate": 2,
            "average": 2,
        }
        | training,
        "search": {"beam": 2},
    }
    return check_config(tree, ExperimentConfig, origin="tiny")
