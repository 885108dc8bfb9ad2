"""The silence that fills a fixed window, merged: few frames stand for all of it, and each counts as many.

A model that was only ever shown recordings padded to a window (Whisper's 30 seconds) leans on the padding: its frames
are where attention rests. They also look alike, so a few of them, spread over the positions of the rest of the window
and weighted in every softmax by how many they stand for, do what all of them did at a fraction of the cost.

Bolya 2023: Bolya et al., "Token merging: your ViT but faster", ICLR 2023 (proportional attention, equation 1).
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from asr_s2s.config import PartConfig, Width
from asr_s2s.models.masks import valid_frames


class MergedSilenceConfig(PartConfig):
    """How many frames stand for the rest of the window; `window` and `frames` are encoded frames (Whisper's: 1500)."""

    window: Width = 1500  # encoder frames of the window that the model was trained on
    frames: Width = 48  # encoder frames that stand for its silence

    def build(self) -> "MergedSilence":
        """Make what encoder and decoder share."""
        return MergedSilence(self.window, self.frames)


@dataclass(frozen=True)
class MergedSilence:
    """Frames after each utterance that stand for the silence up to the end of the window, at even distances."""

    window: int
    frames: int

    def append(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Append to each utterance copies of its last silent frame, before positions are added.

        x: (batch, time, channel), each utterance ends in silence; lengths: (batch,)
        returns: (batch, time + frames, channel) and lengths + frames (batch,)
        """
        # the very last frame of an utterance sees the zeros beyond it, the one before hears silence on both sides
        silent = x.gather(1, (lengths - 2).clamp(min=0)[:, None, None].expand(-1, 1, x.size(2)))
        place = lengths[:, None] + torch.arange(self.frames, device=x.device)
        index = place[:, :, None].expand(-1, -1, x.size(2))
        copies = silent.expand(-1, self.frames, -1)
        return pad(x, (0, 0, 0, self.frames)).scatter(1, index, copies), lengths + self.frames

    def positions(self, lengths: Tensor, time: int) -> Tensor:
        """Return the position of every frame, counted in encoded frames of the window: (batch, time), float32.

        lengths: (batch,), what `append` gave
        """
        sound = (lengths - self.frames)[:, None]
        index = torch.arange(time, device=lengths.device)
        middle = sound + (index - sound + 0.5) * self._counts(lengths)[:, None] - 0.5  # of the frames it stands for
        return torch.where(index < sound, index, middle)

    def scores(self, lengths: Tensor, time: int) -> Tensor:
        """Return what is added to the scores of an attention's keys: (batch, 1, 1, time), float32.

        The logarithm of how many frames a key stands for (Bolya 2023, equation 1); minus infinity beyond the lengths.
        lengths: (batch,), what `append` gave
        """
        index = torch.arange(time, device=lengths.device)
        counts = torch.where(index < (lengths - self.frames)[:, None], 1.0, self._counts(lengths)[:, None])
        counts = counts.masked_fill(index >= lengths[:, None], 0.0)
        return counts.log()[:, None, None, :]

    def _counts(self, lengths: Tensor) -> Tensor:
        """Return how many frames each of the appended ones stands for: (batch,); 0 where the window is full."""
        rest = self.window - (lengths - self.frames)
        return rest.clamp(min=0).float() / self.frames


def visible_keys(lengths: Tensor, time: int, *, silence: MergedSilence | None) -> Tensor:
    """Return what an attention over encoded frames may see, (batch, 1, 1, time): a mask, or scores if some are merged.

    lengths: (batch,)
    """
    if silence is None:
        return valid_frames(lengths, time)[:, None, None, :]
    return silence.scores(lengths, time)
