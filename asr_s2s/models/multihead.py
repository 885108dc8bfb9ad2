"""Multi-head attention, shared by the Transformer, the Conformer and the decoders.

Vaswani 2017: Vaswani et al., "Attention is all you need", NeurIPS 2017.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

# On a graphics card all but cuDNN's, which prepares for each new shape, and batches of speech have ever new lengths: to
# learn from 480 s took 344 ms the first time and 33 the next (H200, torch 2.11; tools/bench/card.py)
KERNELS = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]


class MultiHeadAttention(nn.Module):
    """Scaled dot-product attention in several heads (Vaswani 2017, section 3.2.2).

    Keys and values are made by a call of their own, so that a decoder computes them once and keeps them.
    """

    def __init__(self, channels: int, *, heads: int, memory_channels: int | None = None) -> None:
        super().__init__()
        assert channels % heads == 0, f"{channels} channels do not divide into {heads} heads"
        memory_channels = memory_channels or channels
        self.heads = heads
        self.query = nn.Linear(channels, channels)
        # A bias on the keys would add the same number to all scores of a query, which the softmax takes out again.
        self.key = nn.Linear(memory_channels, channels, bias=False)
        self.value = nn.Linear(memory_channels, channels)
        self.output = nn.Linear(channels, channels)

    def keys_values(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Project what can be attended to.

        memory: (batch, time, channel)
        returns: keys and values, each (batch, head, time, channel / head)
        """
        return self._split(self.key(memory)), self._split(self.value(memory))

    def forward(
        self,
        x: Tensor,
        keys: Tensor,
        values: Tensor,
        *,
        allowed: Tensor | None = None,
        causal: bool = False,
        with_weights: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend from each position of x.

        x: (batch, query, channel); keys and values: (batch, head, time, channel / head)
        allowed: broadcastable to (batch, head, query, time); bool, True where a query may look, or float, added to the
            scores; None: everywhere
        causal: query i looks at times 0 ... i alone; not together with allowed or with_weights
        returns: (batch, query, channel) and, if asked for, the weights (batch, head, query, time)
        """
        query = self._split(self.query(x))
        if allowed is not None and allowed.dtype != torch.bool:
            allowed = allowed.to(query.dtype)
        if allowed is not None and torch.compiler.is_exporting():  # ONNX's attention wants a mask of its whole size
            allowed = allowed.expand(-1, -1, x.size(1), -1)
        if not with_weights:
            return self._join(_attend(query, keys, values, allowed=allowed, causal=causal)), None
        assert not causal, "attention weights are given for explicit masks only"
        scores = query @ keys.transpose(2, 3) / math.sqrt(query.size(3))
        if allowed is not None:
            scores = scores.masked_fill(~allowed, -math.inf) if allowed.dtype == torch.bool else scores + allowed
        weights = scores.softmax(dim=3)
        return self._join(weights @ values), weights

    def extra_repr(self) -> str:
        """Show what the shapes of the weights do not tell."""
        return f"heads={self.heads}"

    def _split(self, x: Tensor) -> Tensor:
        batch, time, channels = x.shape
        return x.view(batch, time, self.heads, channels // self.heads).transpose(1, 2)

    def _join(self, heads: Tensor) -> Tensor:
        joined: Tensor = self.output(heads.transpose(1, 2).flatten(2))
        return joined


def _attend(query: Tensor, keys: Tensor, values: Tensor, *, allowed: Tensor | None, causal: bool) -> Tensor:
    """Return (batch, head, query, channel / head) without the weights."""
    if not query.is_cuda:
        return scaled_dot_product_attention(query, keys, values, attn_mask=allowed, is_causal=causal)
    with sdpa_kernel(KERNELS):
        return scaled_dot_product_attention(query, keys, values, attn_mask=allowed, is_causal=causal)


def check_heads(channels: int, heads: int) -> None:
    """Raise ValueError, which a config turns into a message with its path, unless heads of an even width fit."""
    if channels % (2 * heads):
        raise ValueError(f"channels is {channels}, which does not divide into {heads} heads of an even width")
