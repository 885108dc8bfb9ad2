"""What a Transformer decoder remembers of its hypotheses while searching.

The keys of every token of every hypothesis stay in the slots where they were written, and a mask says which slots are
visible to a hypothesis: its own tokens. To reorder is to gather masks: keys are not copied, and all hypotheses of an
utterance attend as queries to one shared memory, as they do to the encoding.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

KeysValues = tuple[Tensor, Tensor]  # each (batch, head, time or slot, channel / head)


@dataclass(frozen=True, slots=True)
class TransformerState:
    """The hypotheses so far: a slot for each token that any of them took, and which slots are whose."""

    encoded: tuple[KeysValues, ...]  # a pair per layer, from the encoding, once per utterance
    frames: Tensor  # (batch, 1, 1, time'), which encoded frames are seen: a mask, or scores
    written: tuple[KeysValues, ...]  # a pair per layer, from the tokens
    visible_slots: Tensor  # (batch, beam, slot) bool, True at the tokens of a hypothesis
    position: int  # how many tokens each hypothesis has


def with_own_slots(visible_slots: Tensor) -> Tensor:
    """Add a slot for each hypothesis, visible to it alone: (batch, beam, slot) to (batch, beam, slot + beam)."""
    beam = torch.arange(visible_slots.size(1), device=visible_slots.device)
    own = (beam[:, None] == beam).expand(visible_slots.size(0), -1, -1)
    return torch.cat([visible_slots, own], dim=2)


def reordered(state: TransformerState, beams: Tensor) -> TransformerState:
    """Gather hypotheses within each utterance: beams (batch, new beam) holds old beam indices."""
    slots = state.visible_slots.size(2)
    visible_slots = state.visible_slots.gather(1, beams[:, :, None].expand(-1, -1, slots))
    return _without_dead_slots(replace(state, visible_slots=visible_slots))


def kept(state: TransformerState, utterances: Tensor) -> TransformerState:
    """Keep only the utterances (kept,) of the batch, in that order."""
    return TransformerState(
        encoded=tuple((keys[utterances], values[utterances]) for keys, values in state.encoded),
        frames=state.frames[utterances],
        written=tuple((keys[utterances], values[utterances]) for keys, values in state.written),
        visible_slots=state.visible_slots[utterances],
        position=state.position,
    )


def _without_dead_slots(state: TransformerState) -> TransformerState:
    """Drop slots that no hypothesis owns once they are half of all: beams soon share all but their last tokens."""
    living = state.visible_slots.any(dim=1)  # (batch, slot)
    most = int(living.sum(dim=1).max())
    if 2 * most > living.size(1):
        return state
    slots = living.int().argsort(dim=1, descending=True, stable=True)[:, :most]

    def gathered(part: Tensor) -> Tensor:
        return part.gather(2, slots[:, None, :, None].expand(-1, part.size(1), -1, part.size(3)))

    return replace(
        state,
        written=tuple((gathered(keys), gathered(values)) for keys, values in state.written),
        visible_slots=state.visible_slots.gather(2, slots[:, None, :].expand(-1, state.visible_slots.size(1), -1)),
    )
