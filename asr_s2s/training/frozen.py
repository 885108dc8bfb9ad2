"""Encoder layers that do not learn, as part of the front end: what they make of an utterance is kept like features."""

from collections.abc import Mapping
from copy import deepcopy
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn

from asr_s2s.features import Filterbank, FrontEnd
from asr_s2s.model_store.directory import SpeechSystem
from asr_s2s.models import SpeechModel
from asr_s2s.training.optimizer import shares_by_weight

KEPT = torch.bfloat16  # half the room and the time


def frozen_layers(model: SpeechModel, rates: Mapping[str, float]) -> int | None:
    """Count the lowest layers of the encoder that stay as they are, with all below them; None if there are none.

    rates: see make_optimizer
    """
    learning = {name for name, share in shares_by_weight(model, rates).items() if share}
    num_layers = len(model.encoder.layers)
    learns = [_any_within(learning, f"encoder.layers.{layer}") for layer in range(num_layers)]
    frozen = learns.index(True) if any(learns) else num_layers
    halves = frozen < num_layers and model.encoder.reduction > model.encoder.stem.reduction
    if not frozen or halves or _any_within(learning, "encoder.stem"):
        return None
    return frozen


def _any_within(names: set[str], beginning: str) -> bool:
    return any(name.startswith(f"{beginning}.") for name in names)


class EncodedSpeech(nn.Module):
    """A filterbank whose frames are states of an encoder's lowest layers, those of merged silence among them."""

    def __init__(self, system: SpeechSystem, *, layers: int) -> None:
        super().__init__()
        self.feature_size = system.model.encoder.channels
        self.described = system.config.model_dump_json(include={"input": True, "model": {"encoder", "silence"}})
        silence = system.config.model.silence
        self.appended = silence.frames if silence else 0
        self.front_end = system.front_end
        # a copy: training puts the model's own into the mode in which channels are dropped
        encoder = deepcopy(system.model.encoder)
        encoder.layers, encoder.tail = encoder.layers[:layers], nn.Identity()  # what learns above names no kept states
        self.encoder = encoder.eval()
        self.lower = partial(encoder.lower, layers=layers)
        self.output_lengths = encoder.output_lengths

    def lengths(self, sample_lengths: Tensor) -> Tensor:
        """Count the encoded frames: (batch,) in and out."""
        return self.output_lengths(self.front_end.lengths(sample_lengths)) + self.appended

    def sound_lengths(self, sample_lengths: Tensor) -> Tensor:
        """Count the encoded frames that begin in the recording: (batch,) in and out."""
        return self.output_lengths(self.front_end.sound_lengths(sample_lengths))

    @torch.no_grad()
    def forward(self, samples: Tensor, sample_lengths: Tensor) -> Tensor:
        """Compute (batch, time', channel) from (batch, time) samples."""
        features, feature_lengths = self.front_end(samples, sample_lengths)
        with torch.autocast(samples.device.type, KEPT):
            states = self.lower(features, feature_lengths)[0]
        return states.to(KEPT)


def encoded_front_end(system: SpeechSystem, *, layers: int) -> FrontEnd:
    """Return a front end that ends with the lowest layers of the system's encoder."""
    return FrontEnd(cast("Filterbank", EncodedSpeech(system, layers=layers)), None)
