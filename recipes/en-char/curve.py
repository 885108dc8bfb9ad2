"""How a run learned: error rates of its checkpoints on the development set, by hours of audio seen.

usage: curve.py RUN IDEA [--before 6.6] [--clips 75] [--output curve.json]

RUN holds checkpoints (training.checkpoint_steps, training.keep); IDEA is what its rows are called. Rates are
of the greedy search, in percent, with case and punctuation as they are. Rows of other ideas in OUTPUT stay.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch

from asr_s2s.config import read_config
from asr_s2s.data.dataset import SpeechDataset
from asr_s2s.manifest import read_manifest
from asr_s2s.model_store.directory import load_model
from asr_s2s.training import ExperimentConfig
from asr_s2s.training.evaluate import evaluate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("idea")
    parser.add_argument("--before", type=float, default=0.0, help="hours seen before the run")
    parser.add_argument("--clips", type=int, default=75)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "curve.json")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    config = read_config(arguments.run / "experiment.yaml", ExperimentConfig)
    rows = json.loads(arguments.output.read_text()) if arguments.output.exists() else []
    rows = [row for row in rows if row["idea"] != arguments.idea]
    for checkpoint in sorted((arguments.run / "checkpoints").iterdir()):
        found = rates(checkpoint, config, clips=arguments.clips)
        hours = arguments.before + hours_seen(checkpoint, config)
        rows.append({"idea": arguments.idea, "hours": round(hours, 1), **found})
        print(rows[-1], flush=True)
        arguments.output.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def hours_seen(checkpoint: Path, config: ExperimentConfig) -> float:
    """Tell how many hours of audio a checkpoint was trained on: whole epochs, and a share of one."""
    state = json.loads((checkpoint / "training_state.json").read_text())["state"]
    hours = sum(item.duration or 0 for path in config.data.train for item in read_manifest(Path(path))) / 3600
    return hours * state["epoch"] + state["batches"] * config.data.batch_seconds / 3600


def rates(checkpoint: Path, config: ExperimentConfig, *, clips: int) -> dict[str, Any]:
    system = load_model(checkpoint)
    dev = [item for path in config.data.dev or () for item in read_manifest(Path(path))]
    dataset = SpeechDataset(dev[:: -(-len(dev) // clips)], system.front_end, vocabulary=system.vocabulary)
    found = evaluate(
        system,
        dataset,
        batch_seconds=60,
        losses=config.losses,
        search=config.training.dev_search,
        device=torch.device("cpu"),
    )
    return {"wer": round(100 * found.wer, 1), "cer": round(100 * found.cer, 1), "loops": found.loops}


if __name__ == "__main__":
    main()
