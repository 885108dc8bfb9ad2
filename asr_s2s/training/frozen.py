"""An encoder that does not learn, as part of the front end: what it makes of an utterance can be kept like features."""

from copy import deepcopy
from typing import cast

import torch
from torch import Tensor, nn

from asr_s2s.features import Filterbank, FrontEnd
from asr_s2s.model_store import SpeechSystem

KEPT = torch.bfloat16  # half the room and the time


class EncodedSpeech(nn.Module):
    """A filterbank whose frames are encoder states, those that stand for merged silence among them."""

    def __init__(self, system: SpeechSystem) -> None:
        super().__init__()
        self.num_mels = system.model.encoder.channels
        self.described = system.config.model_dump_json(include={"features": True, "model": {"encoder", "silence"}})
        silence = system.config.model.silence
        self.appended = silence.frames if silence else 0
        self.front_end = system.front_end
        # a copy: training puts the model's own into the mode in which channels are dropped
        self.encoder = deepcopy(cast("nn.Module", system.model.encoder)).eval()
        self.output_lengths = system.model.encoder.output_lengths

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
            states: Tensor = self.encoder(features, feature_lengths)[0]
        return states.to(KEPT)


def encoded_front_end(system: SpeechSystem) -> FrontEnd:
    """Give a front end that ends with the system's encoder."""
    return FrontEnd(cast("Filterbank", EncodedSpeech(system)), None)
