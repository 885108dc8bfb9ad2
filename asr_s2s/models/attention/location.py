"""Location-aware attention: additive attention that also sees where it looked before.

Chorowski et al. 2015, "Attention-based models for speech recognition", equations 8 and 9. The sum of all earlier
weights beside the last ones is from Shen et al. 2018, "Natural TTS synthesis by conditioning WaveNet on mel spectrogram
predictions", section 2.2.
"""

from typing import Literal

from torch import Tensor, nn

from asr_s2s.config import PartConfig, Width
from asr_s2s.models.attention.memory import Memory, softmax_over_frames
from asr_s2s.models.masks import valid_frames


class LocationAttention(nn.Module):
    """Weights frames by v · tanh(query + key + location), location being filters over the earlier weights.

    reach: frames that the filters see on each side
    """

    def __init__(
        self, query_channels: int, encoder_channels: int, *, channels: int, num_filters: int, reach: int
    ) -> None:
        super().__init__()
        self.channels = encoder_channels
        self.query = nn.Linear(query_channels, channels)
        self.key = nn.Linear(encoder_channels, channels, bias=False)  # the query's bias serves all three
        self.filters = nn.Conv1d(2, num_filters, 2 * reach + 1, padding=reach, bias=False)
        self.location = nn.Linear(num_filters, channels, bias=False)
        self.energy = nn.Linear(channels, 1, bias=False)  # the softmax would cancel a bias

    def memory(self, encoder_out: Tensor, encoder_lengths: Tensor) -> Memory:
        """Project the frames once: keys (batch, time, channel), values are the frames themselves."""
        frames = valid_frames(encoder_lengths, encoder_out.size(1))
        return Memory(self.key(encoder_out), encoder_out, frames)

    def forward(self, query: Tensor, memory: Memory, history: Tensor) -> tuple[Tensor, Tensor]:
        """Return the context (batch, beam, channel) and the weights (batch, beam, time)."""
        filtered = self.filters(history.flatten(0, 1).to(query.dtype)).unflatten(0, history.shape[:2])
        location = self.location(filtered.transpose(2, 3))  # (batch, beam, time, channel)
        hidden = self.query(query)[:, :, None] + memory.keys[:, None] + location
        energies = self.energy(hidden.tanh()).squeeze(-1)
        weights = softmax_over_frames(energies, memory.valid_frames[:, None])
        return weights.to(memory.values.dtype) @ memory.values, weights


class LocationConfig(PartConfig):
    """Location-aware attention (Chorowski et al. 2015)."""

    kind: Literal["location"]
    channels: Width = 128  # width in which query, key and location are added
    filters: Width = 10  # filters over the earlier weights
    reach: Width = 15  # frames that a filter spans on each side

    def build(self, query_channels: int, encoder_channels: int) -> LocationAttention:
        """Make the attention between a decoder state and an encoding of these widths."""
        return LocationAttention(
            query_channels, encoder_channels, channels=self.channels, num_filters=self.filters, reach=self.reach
        )
