"""A model that was trained on a padded window, made to hear each utterance as long as it is; weights do not change."""

from pathlib import Path

import torch

from asr_s2s.errors import CheckpointError
from asr_s2s.features import WhisperConfig
from asr_s2s.model_store.directory import SpeechSystem, Storage, build_system, load_model, read_card, save_model
from asr_s2s.models import MergedSilenceConfig


def merge_silence(
    model: str | Path, target: Path, *, frames: int, tail_seconds: float, storage: Storage = "float16"
) -> SpeechSystem:
    """Write a model for which few frames stand for the silence that its window is padded with, see models.silence.

    frames: how many; tail_seconds: silence of which every frame is kept, before them
    Raises CheckpointError for a model that pads nothing, or whose encoder or decoder is no Transformer.
    """
    system = load_model(model)
    features, network = system.config.features, system.config.model
    if not isinstance(features, WhisperConfig) or features.pad_to_seconds is None:
        raise CheckpointError(f"{model}: pads nothing, so there is no silence to merge. Use it as it is.")
    if (network.encoder.kind, network.decoder.kind) != ("transformer", "transformer"):
        raise CheckpointError(f"{model}: is no Transformer throughout. Silence is merged for such models alone.")
    window = system.model.encoder.output_lengths(system.front_end.lengths(torch.tensor([0])))
    config = system.config.model_copy(
        update={
            "features": features.model_copy(update={"pad_to_seconds": None, "tail_seconds": tail_seconds}),
            "model": network.model_copy(update={"silence": MergedSilenceConfig(window=int(window), frames=frames)}),
        }
    )
    merged = build_system(config, system.vocabulary, name=target.name)
    merged.model.load_state_dict(system.model.state_dict())
    save_model(target, merged, card=_card(target, model, frames), storage=storage)
    return merged


def _card(target: Path, model: str | Path, frames: int) -> str:
    return (
        f"# {target.name}\n\nThe model below, which no longer pads what it hears: {frames} frames stand for the "
        f"silence of its window. Its weights are unchanged.\n\n{read_card(model)}"
    )
