"""Kaldi's log-mel filterbank: what compute-fbank-feats gives without dither, with snipped edges.

Povey et al. 2011, "The Kaldi Speech Recognition Toolkit"; the values equal torchaudio's and kaldi-native-fbank's.
"""

import math
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from asr_s2s.config import PartConfig
from asr_s2s.features.front_end import FRAME_SHIFT, SAMPLE_RATE, FrontEnd, power_spectrum
from asr_s2s.features.normalization import GlobalNormalization, UtteranceNormalization

WINDOW = 400  # samples: 25 ms
FFT_SIZE = 512
PREEMPHASIS = 0.97
LOWEST_HZ, HIGHEST_HZ = 20.0, SAMPLE_RATE / 2
FULL_SCALE = 32768.0  # Kaldi counts in 16-bit integers
ENERGY_FLOOR = torch.finfo(torch.float32).eps


class KaldiFilterbank(nn.Module):
    """Log-mel energies of whole 25-ms windows every 10 ms; nothing beyond an utterance's end enters its frames."""

    window: Tensor
    filters: Tensor

    def __init__(self, num_mels: int) -> None:
        super().__init__()
        self.window_seconds: float | None = None
        self.feature_size = num_mels
        # D. Povey's window. It and the filters are computed in float32, as in torchaudio: the window's last digit makes
        # the third one of a bin with almost no energy, such as the top ones of a low-passed recording.
        self.register_buffer("window", torch.hann_window(WINDOW, periodic=False).pow(0.85), persistent=False)
        self.register_buffer("filters", _mel_filters(num_mels), persistent=False)

    def lengths(self, sample_lengths: Tensor) -> Tensor:
        """Count the windows that lie wholly within so many samples; fewer than 400 samples have none."""
        frames = torch.div(sample_lengths - WINDOW, FRAME_SHIFT, rounding_mode="floor") + 1
        return frames.clamp(min=0)

    def sound_lengths(self, sample_lengths: Tensor) -> Tensor:
        """Count the same frames: no silence is added."""
        return self.lengths(sample_lengths)

    def forward(self, samples: Tensor, sample_lengths: Tensor) -> Tensor:  # noqa: ARG002 - every filterbank takes both
        """Compute (batch, time, mel) from (batch, time) samples; at least one frame, so that shapes stay usable."""
        missing: Any = torch.sym_max(0, WINDOW - samples.shape[1])
        samples = functional.pad(samples, (0, missing))
        frames = samples.to(self.window.dtype).unfold(1, WINDOW, FRAME_SHIFT) * FULL_SCALE
        frames = frames - frames.mean(dim=2, keepdim=True)
        previous = torch.cat([frames[:, :, :1], frames[:, :, :-1]], dim=2)
        power = power_spectrum((frames - PREEMPHASIS * previous) * self.window, FFT_SIZE)
        energies: Tensor = power @ self.filters
        return energies.clamp(min=ENERGY_FLOOR).log()


class KaldiConfig(PartConfig):
    """Kaldi's filterbank and how its values are normalised."""

    kind: Literal["kaldi"]
    num_mels: Annotated[int, Field(ge=4, le=128)] = 80  # mel channels
    # mean and variance of the training set, or of each utterance
    normalize: Literal["global", "utterance", "none"] = "global"

    def build(self) -> FrontEnd:
        """Make the front end; with global normalisation it is the identity until set_statistics."""
        normalization: GlobalNormalization | UtteranceNormalization | None = None
        if self.normalize == "global":
            normalization = GlobalNormalization(self.num_mels)
        elif self.normalize == "utterance":
            normalization = UtteranceNormalization()
        return FrontEnd(KaldiFilterbank(self.num_mels), normalization)


def _mel_filters(num_mels: int) -> Tensor:
    """Triangles of equal width on the mel scale, of height 1; (FFT_SIZE / 2 + 1, mel)."""
    lowest, highest = (1127.0 * math.log1p(hertz / 700.0) for hertz in (LOWEST_HZ, HIGHEST_HZ))
    corners = lowest + torch.arange(num_mels + 2) * ((highest - lowest) / (num_mels + 1))
    left, centre, right = corners[:-2], corners[1:-1], corners[2:]
    hertz = torch.arange(FFT_SIZE // 2 + 1) * (SAMPLE_RATE / FFT_SIZE)
    mel = 1127.0 * (1.0 + hertz / 700.0).log()[:, None]
    rising, falling = (mel - left) / (centre - left), (right - mel) / (right - centre)
    filters = torch.minimum(rising, falling).clamp(min=0.0)
    filters[-1] = 0.0  # Kaldi leaves the bin at half the sample rate out
    return filters
