"""How well a language model foresees lines of text, in nats."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence

from asr_s2s.model_store import LanguageSystem
from asr_s2s.training.texts import windows

PADDING = -100  # what torch's cross-entropy passes over


def line_loss(system: LanguageSystem, lines: Sequence[Sequence[int]], *, total: bool = False) -> Tensor:
    """Give the mean (or total) cross-entropy of tokens and ends, in nats."""
    words = system.vocabulary
    given = [torch.tensor([words.start_tokens[-1], *line]) for line in lines]
    wanted = [torch.tensor([*line, words.end_token]) for line in lines]
    inputs = pad_sequence(given, batch_first=True, padding_value=words.end_token)
    targets = pad_sequence(wanted, batch_first=True, padding_value=PADDING)
    logits = system.model(inputs)
    return cross_entropy(
        logits.flatten(0, 1), targets.flatten(), ignore_index=PADDING, reduction="sum" if total else "mean"
    )


@torch.inference_mode()
def total_nats(system: LanguageSystem, lines: Sequence[Sequence[int]], *, batch_tokens: int) -> float:
    """Sum the cross-entropy of all lines, their ends included."""
    lengths = [len(line) + 1 for line in lines]
    order = sorted(range(len(lines)), key=lambda row: lengths[row])
    batches = windows(order, lengths, limit=batch_tokens)
    return sum(float(line_loss(system, [lines[row] for row in rows], total=True)) for rows in batches)
