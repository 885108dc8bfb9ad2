"""What a model directory holds, for the person who asks."""

from pathlib import Path
from typing import Any

import yaml

from asr_s2s.model_store.directory import load_model
from asr_s2s.model_store.folders import model_folder
from asr_s2s.model_store.stored import WEIGHTS_FILE

LONGEST_LIST = 8  # entries; longer ones are ids of tokens


def describe(model: str | Path) -> str:
    """Return a model's sizes and configuration in a few lines."""
    folder = model_folder(model)
    system = load_model(model)
    counts = [(name, parameter.numel()) for name, parameter in system.model.named_parameters()]
    parts = {"encoder": "encoder.", "decoder": "decoder.", "whole model": ""}
    sizes = [
        f"{part}: {sum(count for name, count in counts if name.startswith(prefix)) / 1e6:.2f} M parameters"
        for part, prefix in parts.items()
    ]
    megabytes = (folder / WEIGHTS_FILE).stat().st_size / 1e6
    return "\n".join(
        [
            f"{system.name}: {megabytes:.1f} MB of weights on disk, vocabulary of {system.vocabulary.size:,} tokens",
            *sizes,
            "",
            _readable(system.config.model_dump(mode="json")),
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
