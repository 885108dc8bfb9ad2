"""A model that was trained on a padded window, that processes the speech alone; weights do not change."""

from dataclasses import replace
from pathlib import Path

import torch

from asr_s2s.errors import CheckpointError
from asr_s2s.features import WhisperConfig
from asr_s2s.model_store.directory import SpeechSystem, load_model, rebuilt, save_model
from asr_s2s.model_store.folders import read_card
from asr_s2s.model_store.weights import Storage
from asr_s2s.models import MergedSilenceConfig


def merge_silence(
    model: str | Path, target: Path, *, frames: int, tail_seconds: float, storage: Storage = "float16"
) -> SpeechSystem:
    """Write a model for which few frames stand for the silence that its window is padded with, see merged_system.

    Raises CheckpointError as that does.
    """
    merged = replace(merged_system(load_model(model), frames=frames, tail_seconds=tail_seconds), name=target.name)
    save_model(target, merged, card=_card(target, model, frames), storage=storage)
    return merged


def merged_system(system: SpeechSystem, *, frames: int, tail_seconds: float) -> SpeechSystem:
    """Return the same weights a front end that pads nothing and a network that merges silence, see models.silence.

    frames: how many stand for the rest of the window; tail_seconds: silence of which every frame is kept, before them
    Raises CheckpointError for a model that pads nothing, or whose encoder or decoder is no Transformer.
    """
    given, network = system.config.input, system.config.model
    if not isinstance(given, WhisperConfig) or given.pad_to_seconds is None:
        raise CheckpointError(f"{system.name}: pads nothing, so there is no silence to merge. Use it as it is.")
    if (network.encoder.kind, network.decoder.kind) != ("transformer", "transformer"):
        raise CheckpointError(f"{system.name}: is no Transformer throughout. Silence is merged for such models alone.")
    window = system.model.encoder.output_lengths(system.front_end.lengths(torch.tensor([0])))
    config = system.config.model_copy(
        update={
            "input": given.model_copy(update={"pad_to_seconds": None, "tail_seconds": tail_seconds}),
            "model": network.model_copy(update={"silence": MergedSilenceConfig(window=int(window), frames=frames)}),
        }
    )
    return rebuilt(system, config)


def _card(target: Path, model: str | Path, frames: int) -> str:
    return (
        f"# {target.name}\n\nThe model below, which no longer pads a recording: {frames} frames stand for the "
        f"silence of its window. Its weights are unchanged.\n\n{read_card(model)}"
    )
