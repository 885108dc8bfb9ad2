"""What a model directory holds, for the person who asks."""

from pathlib import Path

from asr_s2s.config import config_text
from asr_s2s.model_store.directory import load_model
from asr_s2s.model_store.folders import model_folder
from asr_s2s.model_store.stored import WEIGHTS_FILE


def describe(model: str | Path) -> str:
    """Say a model's sizes and configuration in a few lines."""
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
            f"{system.name}: {megabytes:.1f} MB of weights on disk, vocabulary of {system.vocabulary.size} tokens",
            *sizes,
            "",
            config_text(system.config).rstrip(),
        ]
    )
