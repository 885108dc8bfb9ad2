"""A batch: padded tensors with their lengths, and the names and texts they came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Some utterances, padded with zeros to the longest; every row has its true length beside it.

    encoded: how many layers of an encoder the features went through, (batch, time', channel); None: they are features
    unreadable: why the utterances that were left out of it cannot be read, by id; it may be empty without them
    """

    ids: tuple[str, ...]
    features: Tensor  # (batch, time, mel)
    feature_lengths: Tensor  # (batch,), frames
    tokens: Tensor  # (batch, token), without start and end tokens
    token_lengths: Tensor  # (batch,)
    texts: tuple[str, ...]
    encoded: int | None = None
    unreadable: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def empty(cls, unreadable: Mapping[str, str]) -> "Batch":
        """Make the batch that remains where nothing can be read."""
        nothing, none = torch.zeros(0, 0, 0), torch.zeros(0, dtype=torch.long)
        return cls((), nothing, none, none.view(0, 0), none, (), unreadable=unreadable)

    def to(self, device: torch.device) -> "Batch":
        """Return the same batch with its tensors on a device."""
        return replace(
            self,
            features=self.features.to(device),
            feature_lengths=self.feature_lengths.to(device),
            tokens=self.tokens.to(device),
            token_lengths=self.token_lengths.to(device),
        )

    def repeated(self, count: int) -> "Batch":
        """Give this batch so many times over, as one."""
        return replace(
            self,
            ids=self.ids * count,
            features=self.features.repeat(count, 1, 1),
            feature_lengths=self.feature_lengths.repeat(count),
            tokens=self.tokens.repeat(count, 1),
            token_lengths=self.token_lengths.repeat(count),
            texts=self.texts * count,
        )

    def halves(self) -> tuple["Batch", "Batch"]:
        """Return two batches of half the utterances each, padded no further than each needs."""
        middle = len(self) // 2
        return self._rows(slice(None, middle)), self._rows(slice(middle, None))

    def _rows(self, rows: slice) -> "Batch":
        feature_lengths, token_lengths = self.feature_lengths[rows], self.token_lengths[rows]
        return Batch(
            ids=self.ids[rows],
            features=self.features[rows, : int(feature_lengths.max())],
            feature_lengths=feature_lengths,
            tokens=self.tokens[rows, : int(token_lengths.max())],
            token_lengths=token_lengths,
            texts=self.texts[rows],
            encoded=self.encoded,
        )
