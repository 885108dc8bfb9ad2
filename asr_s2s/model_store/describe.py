"""What a model directory holds, for the person who asks."""

from pathlib import Path

from asr_s2s.config import config_text
from asr_s2s.model_store.directory import WEIGHTS_FILE, load_model, model_folder


def describe(model: str | Path) -> str:
    """Say a model's sizes and configuration in a few lines."""
    folder = model_folder(model)
    system = load_model(model)
    parts = {"encoder": system.model.encoder, "decoder": system.model.decoder, "whole model": system.model}
    sizes = [
        f"{name}: {sum(p.numel() for p in part.parameters()) / 1e6:.2f} M parameters" for name, part in parts.items()
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
