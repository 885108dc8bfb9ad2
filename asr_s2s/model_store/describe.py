"""What a model directory holds, for the person who asks. No torch."""

import math
from pathlib import Path
from typing import Any

import yaml

from asr_s2s.model_store.graphs import GRAPH_FOLDER
from asr_s2s.model_store.opened import open_model
from asr_s2s.model_store.stored import WEIGHTS_FILE, open_weights

LONGEST_LIST = 8  # entries; longer ones are ids of tokens


def describe(model: str | Path) -> str:
    """Return a model's sizes and configuration in a few lines."""
    opened = open_model(model)
    path = opened.folder / WEIGHTS_FILE
    counts = {name: math.prod(shape) for name, shape in open_weights(path).shapes.items()}
    parts = {"encoder": "model.encoder.", "decoder": "model.decoder.", "whole model": "model."}
    sizes = [
        f"{part}: {sum(count for name, count in counts.items() if name.startswith(prefix)) / 1e6:.2f} M parameters"
        for part, prefix in parts.items()
    ]
    graphs = sorted(path.stem for path in (opened.folder / GRAPH_FOLDER).glob("*.onnx"))
    megabytes = path.stat().st_size / 1e6
    return "\n".join(
        [
            f"{opened.name}: {megabytes:.1f} MB of weights on disk, vocabulary of {opened.vocabulary.size:,} tokens",
            *sizes,
            f"graphs for transcription without torch: {', '.join(graphs) or 'none'}",
            "",
            _readable(opened.config.model_dump(mode="json")),
        ]
    )


def _readable(tree: dict[str, Any]) -> str:
    """Write a configuration as YAML, a part a line where it fits, and of long lists how long they are."""
    return yaml.safe_dump(
        _counted(tree), sort_keys=False, allow_unicode=True, width=120, default_flow_style=None
    ).rstrip()


def _counted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _counted(each) for name, each in value.items()}
    return f"{len(value)} tokens" if isinstance(value, list) and len(value) > LONGEST_LIST else value
