"""The front end: a filterbank, then a normalisation, then zeros beyond each utterance's end."""

import math
from typing import Protocol

import torch
from torch import Tensor, nn

from asr_s2s.features.normalization import GlobalNormalization, UtteranceNormalization

SAMPLE_RATE = 16_000
FRAME_SHIFT = 160  # samples: 10 ms


class Filterbank(Protocol):
    """What turns samples into log-mel frames; a kind of front end is one of these."""

    feature_size: int
    window_seconds: float | None  # that every recording is padded to, and may not exceed

    def lengths(self, sample_lengths: Tensor) -> Tensor:
        """Count the frames of utterances with so many samples; (batch,) in and out."""
        ...

    def sound_lengths(self, sample_lengths: Tensor) -> Tensor:
        """Count the frames that begin in the recording, where `lengths` also counts silence after it; (batch,)."""
        ...

    def __call__(self, samples: Tensor, sample_lengths: Tensor) -> Tensor:
        """Compute (batch, time, mel) from (batch, time) samples; what lies beyond an utterance's frames is open."""
        ...


def power_spectrum(frames: Tensor, size: int) -> Tensor:
    """Return the power (..., size / 2 + 1) of each frequency of a Fourier transform of frames (..., samples)."""
    if not torch.compiler.is_exporting():
        spectrum = torch.fft.rfft(frames, n=size)
        power: Tensor = spectrum.real.square() + spectrum.imag.square()  # abs() has no gradient at zero
        return power
    # as a product: of 400 samples onnxruntime's own transform takes 15 times as long, and is 70 times less exact
    places = torch.arange(frames.size(-1))[:, None] * torch.arange(size // 2 + 1) % size
    angles = places.double() * (2 * math.pi / size)
    return (frames @ angles.cos().float()).square() + (frames @ angles.sin().float()).square()


class FrontEnd(nn.Module):
    """Samples to features; an utterance gets the same values alone and in any batch."""

    frame_shift_seconds = FRAME_SHIFT / SAMPLE_RATE

    def __init__(
        self, filterbank: Filterbank, normalization: GlobalNormalization | UtteranceNormalization | None
    ) -> None:
        super().__init__()
        self.filterbank = filterbank
        self.normalization = normalization

    @property
    def feature_size(self) -> int:
        """The width of the features."""
        return self.filterbank.feature_size

    @property
    def window_seconds(self) -> float | None:
        """Seconds that every recording is padded to, and may not exceed; None where it keeps its length."""
        return self.filterbank.window_seconds

    @property
    def needs_statistics(self) -> bool:
        """Whether training must call set_statistics before the first step."""
        return isinstance(self.normalization, GlobalNormalization)

    def lengths(self, sample_lengths: Tensor) -> Tensor:
        """Count the frames of utterances with so many samples; integer (batch,) in and out."""
        return self.filterbank.lengths(sample_lengths)

    def sound_lengths(self, sample_lengths: Tensor) -> Tensor:
        """Count the frames without the silence that this front end adds after an utterance; integer (batch,)."""
        return self.filterbank.sound_lengths(sample_lengths)

    def set_statistics(self, mean: Tensor, std: Tensor) -> None:
        """Fix the global mean and standard deviation, each (mel,); only where needs_statistics is true."""
        assert isinstance(self.normalization, GlobalNormalization), "this front end has no global statistics"
        self.normalization.set_statistics(mean, std)

    def forward(self, samples: Tensor, sample_lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Compute features, in float32 under autocast too, differentiable, zero beyond each utterance's length.

        samples: (batch, time), float in [-1, 1] at 16 kHz; values beyond an utterance's length do not matter
        sample_lengths: (batch,), integer
        returns: features (batch, time / 160, mel) and feature_lengths (batch,)
        """
        # bfloat16 keeps 3 digits, and the logarithm of a small energy needs them all
        with torch.autocast(device_type=samples.device.type, enabled=False):
            feature_lengths = self.lengths(sample_lengths)
            return self.normalize(self.filterbank(samples, sample_lengths), feature_lengths), feature_lengths

    def normalize(self, features: Tensor, feature_lengths: Tensor) -> Tensor:
        """Do what follows the filterbank: normalise (batch, time, mel) features, and zero them beyond their lengths."""
        valid_frames = torch.arange(features.shape[1], device=features.device) < feature_lengths[:, None]
        if self.normalization is not None:
            features = self.normalization(features, valid_frames)
        return features.masked_fill(~valid_frames[:, :, None], 0.0)
