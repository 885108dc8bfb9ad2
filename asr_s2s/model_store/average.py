"""The mean of several models of one architecture, such as the best checkpoints of one training.

Its weights lie nearer the middle of the flat region that the last steps wander about in than any of them
(Izmailov 2018, "Averaging weights leads to wider optima and better generalization").
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from asr_s2s.errors import CheckpointError
from asr_s2s.model_store.directory import SpeechSystem, load_model, save_model


def average_models(models: Sequence[Path], target: Path) -> SpeechSystem:
    """Write the average of model directories of one architecture, with a card that names them.

    Raises CheckpointError if their features, vocabularies or networks differ.
    """
    if not models:
        raise CheckpointError("no models to average were named. Give at least one model directory.")
    systems = [load_model(folder) for folder in models]
    first = systems[0]
    for folder, system in zip(models, systems, strict=True):
        same_words = system.vocabulary.fingerprint == first.vocabulary.fingerprint
        if system.config.fingerprint() != first.config.fingerprint() or not same_words:
            raise CheckpointError(
                f"{folder}: its features, vocabulary or network differ from those of {models[0]}. "
                "Only models of one architecture can be averaged."
            )
    first.model.load_state_dict(average_states([system.model.state_dict() for system in systems]))
    averaged = replace(first, name=target.name)
    lines = "\n".join(f"- {folder.name}" for folder in models)
    save_model(target, averaged, card=f"# {target.name}\n\nThe average of the weights of\n\n{lines}\n")
    return averaged


def average_states(states: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Average weights name by name, summed in float64; what is not floating-point is taken from the first."""
    return {
        name: torch.stack([state[name].double() for state in states]).mean(dim=0).to(value.dtype)
        if value.is_floating_point()
        else value
        for name, value in states[0].items()
    }
