"""How well a language model foresees lines of text, in nats."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence

from asr_s2s.errors import ConfigError
from asr_s2s.model_store.language import LanguageSystem
from asr_s2s.training.memory import free_memory, measure_need
from asr_s2s.training.texts import windows

PADDING = -100  # what torch's cross-entropy passes over


def line_loss(system: LanguageSystem, lines: Sequence[Sequence[int]], *, total: bool = False) -> Tensor:
    """Return the mean (or total) cross-entropy of tokens and ends, in nats."""
    words = system.vocabulary
    given = [torch.tensor([words.start_tokens[-1], *line]) for line in lines]
    wanted = [torch.tensor([*line, words.end_token]) for line in lines]
    inputs = pad_sequence(given, batch_first=True, padding_value=words.end_token)
    targets = pad_sequence(wanted, batch_first=True, padding_value=PADDING)
    logits = system.model(inputs)
    return cross_entropy(
        logits.flatten(0, 1), targets.flatten(), ignore_index=PADDING, reduction="sum" if total else "mean"
    )


def by_length(lines: Sequence[Sequence[int]], *, batch_tokens: int) -> list[list[int]]:
    """Put lines into batches of like length."""
    lengths = [len(line) + 1 for line in lines]
    order = sorted(range(len(lines)), key=lambda row: lengths[row])
    return windows(order, lengths, limit=batch_tokens)


def check_lines_fit(system: LanguageSystem, lines: Sequence[Sequence[int]], batches: Sequence[Sequence[int]]) -> None:
    """Refuse batches of lines that need more memory than there is, before one of them is computed.

    Raises ConfigError with the lengths of the largest.
    """
    random_state = torch.get_rng_state()
    token = system.vocabulary.end_token
    need = measure_need(system.model.train(), lambda _, tokens: line_loss(system, [[token] * tokens]))
    torch.set_rng_state(random_state)
    sizes = ((len(batch), max(len(lines[row]) for row in batch)) for batch in batches)
    needed, count, longest = max(
        (need.of(frames=0, tokens=tokens, utterances=rows), rows, tokens) for rows, tokens in sizes
    )
    if needed > (free := free_memory()):
        raise ConfigError(
            f"data.train: a batch of {count} lines of up to {longest} tokens needs about {needed / 1e6:.0f} MB, "
            f"{free / 1e6:.0f} MB are free. Break long lines, or lower data.max_tokens or data.batch_tokens."
        )


@torch.inference_mode()
def total_nats(system: LanguageSystem, lines: Sequence[Sequence[int]], *, batch_tokens: int) -> float:
    """Sum the cross-entropy of all lines, their ends included."""
    batches = by_length(lines, batch_tokens=batch_tokens)
    return sum(float(line_loss(system, [lines[row] for row in rows], total=True)) for rows in batches)
