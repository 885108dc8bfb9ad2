"""Whisper's log-mel spectrogram, of a whole 30-second window or of the speech in it alone.

Radford et al. 2022, "Robust Speech Recognition via Large-Scale Weak Supervision", section 2.2. The reference pads every
clip with zeros to 30 s before its Fourier transform. A frame beyond the speech is a constant then, so only the frames
that hear speech are computed, and they get the values that they have in the padded clip.
"""

from importlib import resources
from typing import Annotated, Literal, Self

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional

from asr_s2s.config import PartConfig
from asr_s2s.errors import AudioError
from asr_s2s.features.front_end import FRAME_SHIFT, SAMPLE_RATE, FrontEnd, power_spectrum

FFT_SIZE = 400  # samples: 25 ms, also the window
HALF = FFT_SIZE // 2  # a frame is centred on its first sample, so it hears 200 samples to each side
WINDOW_SECONDS = 30.0
LOG_FLOOR = -10.0
DYNAMIC_RANGE = 8.0  # powers of ten below the utterance's loudest value


class WhisperFilterbank(nn.Module):
    """Log-mel energies every 10 ms, clipped below the utterance's own maximum and scaled to about [-1, 1]."""

    window: Tensor
    filters: Tensor

    def __init__(self, num_mels: int, *, pad_to_seconds: float | None = None, tail_seconds: float = 0.0) -> None:
        super().__init__()
        self.feature_size = num_mels
        self.padded = pad_to_seconds is not None
        self.window_seconds = pad_to_seconds
        self.tail_frames = round(tail_seconds * SAMPLE_RATE / FRAME_SHIFT)
        seconds = WINDOW_SECONDS if pad_to_seconds is None else pad_to_seconds
        self.max_frames = round(seconds * SAMPLE_RATE / FRAME_SHIFT)
        self.register_buffer("window", torch.hann_window(FFT_SIZE), persistent=False)
        self.register_buffer("filters", _mel_filters(num_mels), persistent=False)

    def lengths(self, sample_lengths: Tensor) -> Tensor:
        """Count the frames: one for every 160 samples begun and the tail, or always those of the padded window.

        A tail ends with the window: no model heard anything after it.
        """
        if self.padded:
            return torch.full_like(sample_lengths, self.max_frames)
        sound_lengths = self.sound_lengths(sample_lengths)
        return torch.maximum(sound_lengths, (sound_lengths + self.tail_frames).clamp(max=self.max_frames))

    def sound_lengths(self, sample_lengths: Tensor) -> Tensor:
        """Count one frame for every 160 samples begun; (batch,) in and out."""
        return torch.div(sample_lengths + FRAME_SHIFT - 1, FRAME_SHIFT, rounding_mode="floor")

    def forward(self, samples: Tensor, sample_lengths: Tensor) -> Tensor:
        """Compute (batch, time, mel) from (batch, time) samples.

        Raises AudioError for an utterance that is longer than the window it shall be padded to.
        """
        samples = self._within_window(samples.to(self.window.dtype), sample_lengths)
        time = (samples.shape[1] + FRAME_SHIFT - 1) // FRAME_SHIFT
        computed = time + 2  # what is beyond the window is not counted
        frames = self._with_surroundings(samples, sample_lengths, computed).unfold(1, FFT_SIZE, FRAME_SHIFT)
        power = power_spectrum(frames * self.window, FFT_SIZE)
        log_mel = (power @ self.filters).clamp(min=10.0**LOG_FLOOR).log10()
        lower_limit = self._loudest(log_mel, sample_lengths) - DYNAMIC_RANGE
        wanted = self.max_frames if self.padded else time + self.tail_frames
        log_mel = functional.pad(log_mel, (0, 0, 0, wanted - computed), value=LOG_FLOOR)
        return (torch.maximum(log_mel, lower_limit) + 4.0) / 4.0

    def _within_window(self, samples: Tensor, sample_lengths: Tensor) -> Tensor:
        limit = self.max_frames * FRAME_SHIFT
        if not self.padded or samples.shape[1] <= limit:
            return samples
        longest = int(sample_lengths.max())
        if longest > limit:
            raise AudioError(
                f"an utterance of {longest / SAMPLE_RATE:.2f} s does not fit into the {limit / SAMPLE_RATE:g} s "
                "that the front end pads to. Cut it into shorter pieces first."
            )
        return samples[:, :limit]

    def _with_surroundings(self, samples: Tensor, sample_lengths: Tensor, frames: int) -> Tensor:
        """Add to (batch, time) samples what their first and last windows hear: mirrored samples, then silence."""
        num_samples = samples.shape[1]
        real = torch.arange(num_samples, device=samples.device) < sample_lengths[:, None]
        samples = functional.pad(torch.where(real, samples, 0.0), (0, (frames - 1) * FRAME_SHIFT + HALF - num_samples))
        # The reference mirrors the end of its padded window too, which a clip that nearly fills it can hear.
        end, mirrored = self.max_frames * FRAME_SHIFT, HALF - FRAME_SHIFT
        if torch.compiler.is_exporting() or num_samples >= end - mirrored:
            place = torch.arange(samples.shape[1], device=samples.device)
            mirror = samples.index_select(1, (2 * (end - 1) - place).clamp(0, samples.shape[1] - 1))
            is_mirrored = (place >= end) & (place < end + mirrored) & (sample_lengths <= end)[:, None]
            samples = torch.where(is_mirrored, mirror, samples)
        return torch.cat([samples[:, 1 : HALF + 1].flip(1), samples], dim=1)

    def _loudest(self, log_mel: Tensor, sample_lengths: Tensor) -> Tensor:
        """Take each utterance's maximum, (batch, 1, 1), over all frames of its padded window.

        The two frames after the last one that begins in the utterance still hear its end; the others are silent.
        """
        begun = self.sound_lengths(sample_lengths)
        counted = torch.maximum(begun, (begun + 2).clamp(max=self.max_frames))
        beyond = torch.arange(log_mel.shape[1], device=log_mel.device) >= counted[:, None]
        return log_mel.masked_fill(beyond[:, :, None], LOG_FLOOR).amax(dim=(1, 2), keepdim=True)


class WhisperConfig(PartConfig):
    """Whisper's log-mel; pad_to_seconds 30 for imported checkpoints, which know only full windows.

    tail_seconds: silence after each utterance where it is not padded, a place for what the encoder concludes; within
        the window of 30 seconds
    """

    kind: Literal["whisper"]
    num_mels: Literal[80, 128] = 80  # mel channels; large-v3 has 128
    pad_to_seconds: Annotated[float, Field(ge=1.0, le=300.0)] | None = None  # window that each utterance is padded to
    tail_seconds: Annotated[float, Field(ge=0.0, le=30.0)] = 0.0

    @model_validator(mode="after")
    def _padding_or_a_tail(self) -> Self:
        if self.pad_to_seconds is not None and self.tail_seconds:
            raise ValueError("tail_seconds has no place beside pad_to_seconds, which fills the window. Leave one out")
        return self

    def build(self) -> FrontEnd:
        """Make the front end; its values need no further normalisation."""
        filterbank = WhisperFilterbank(
            self.num_mels, pad_to_seconds=self.pad_to_seconds, tail_seconds=self.tail_seconds
        )
        return FrontEnd(filterbank, None)


def _mel_filters(num_mels: int) -> Tensor:
    """Read Slaney's triangles, (FFT_SIZE / 2 + 1, mel), from the package; librosa made them, a test compares them."""
    stored = resources.files("asr_s2s.features").joinpath("mel_filters.npz")
    with stored.open("rb") as file, np.load(file, allow_pickle=False) as filters:
        return torch.from_numpy(filters[f"mel_{num_mels}"].T.copy())
