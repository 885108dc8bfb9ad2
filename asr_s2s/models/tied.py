"""The embedding as output layer.

Press 2017: Press & Wolf, "Using the output embedding to improve language models", EACL 2017 (tied embedding).
"""

import torch
from torch import Tensor
from torch.nn.functional import linear


def tied_logits(x: Tensor, embedding: Tensor) -> Tensor:
    """Return logits (batch, token, vocabulary) of x (batch, token, channel) and an embedding (vocabulary, channel)."""
    if not torch.compiler.is_exporting():
        return linear(x, embedding)
    # the exporter would transpose the embedding, which is then kept twice: it is looked up too
    rows = x.size(0) * x.size(1)
    product: Tensor = torch.onnx.ops.symbolic(
        "Gemm",
        [x.flatten(0, 1), embedding],
        {"transB": 1},
        dtype=x.dtype,
        shape=(rows, embedding.size(0)),
        version=13,
    )
    return product.view(x.size(0), x.size(1), embedding.size(0))
