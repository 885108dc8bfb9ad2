"""The position-wise network of a block, and the initialisation that all blocks share.

Vaswani 2017: Vaswani et al., "Attention is all you need", NeurIPS 2017.
Glorot 2010: Glorot & Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010.
"""

import math

from torch import Tensor, nn


class FeedForward(nn.Module):
    """Two linear layers with a nonlinearity between them (Vaswani 2017, section 3.3)."""

    def __init__(self, channels: int, hidden: int, *, activation: nn.Module, dropout: float) -> None:
        super().__init__()
        self.expand = nn.Linear(channels, hidden)
        self.activation = activation
        self.dropout = nn.Dropout(dropout)
        self.contract = nn.Linear(hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Transform each frame on its own: (batch, time, channel) to the same shape."""
        transformed: Tensor = self.contract(self.dropout(self.activation(self.expand(x))))
        return transformed


def initialise(module: nn.Module, *, residual_branches: int) -> None:
    """Start the linear layers of a stack of residual blocks so that its depth does not matter.

    Weights after Glorot 2010, biases zero; the last layer of each residual branch is made smaller by the square root of
    the number of branches, so that their sum starts with the variance of one.
    """
    for name, part in module.named_modules():
        if isinstance(part, nn.Linear):
            last = name.endswith((".output", ".contract"))
            nn.init.xavier_uniform_(part.weight, gain=1 / math.sqrt(residual_branches) if last else 1.0)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
