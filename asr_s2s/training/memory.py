"""Batches that need more memory than there is: foreseen on a CPU, where the system kills without a word, or caught.

What training keeps of an utterance until its gradient is computed follows from two lengths, its frames and its tokens:
a part evenly (every layer's activations), a part with the squares and the product (attention). What a few short and
made-up utterances need tells the parts, so that no long one is computed to learn that it does not fit.
"""

import os
import resource
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from asr_s2s.data.dataset import SpeechDataset
from asr_s2s.errors import ManifestError, counted, listed

# Beside what is kept there is what is computed with: gradients of activations, copies in other layouts. The most that
# tools/bench/memory.py saw was 1.25 times what is kept (conf/finetune.yaml from en; 0.9 for conf/commands.yaml).
WORKING = 1.5
USED = 0.9  # of what is free: other programs breathe
# as torch's allocators say it, and what oneDNN says when it gets no memory
OUT_OF_MEMORY = (
    "can't allocate memory",
    "out of memory",
    "bad_alloc",
    "could not execute a primitive",
    "could not create a primitive",
)


# frames and tokens of the utterances that are measured, as multiples of these
FRAMES, TOKENS = 192, 12
SHAPES = ((1, 1), (2, 1), (4, 1), (1, 2), (1, 4), (2, 2), (4, 4))


@dataclass(frozen=True)
class MemoryNeed:
    """Bytes that an utterance needs in training, for each power of its frames and its tokens (_powers)."""

    parts: tuple[float, ...]

    def of(self, *, frames: float, tokens: float, utterances: int = 1) -> float:
        """Return the bytes of a batch whose longest utterance and text have so many frames and tokens."""
        return WORKING * utterances * float(np.dot(self.parts, _powers(frames, tokens)))

    def utterances(self, *, frames: float, tokens: float, memory: float) -> int:
        """Return how many utterances of a length fit into so many bytes; at least one is tried."""
        return max(1, int(memory / self.of(frames=frames, tokens=tokens)))


def _powers(frames: float, tokens: float) -> list[float]:
    return [1.0, frames, tokens, frames**2, frames * tokens, tokens**2]


def measure_need(
    model: nn.Module, loss_of: Callable[[int, int], Tensor], *, max_tokens: int | None = None
) -> MemoryNeed:
    """Compute a model's losses of a few made-up utterances and fit what is kept of them for their gradients.

    loss_of: computes the loss of an utterance of so many frames and tokens; max_tokens: the longest text it may have
    """
    tokens = TOKENS if max_tokens is None else max(1, min(TOKENS, max_tokens // max(shape[1] for shape in SHAPES)))
    lengths = [(FRAMES * frames, tokens * texts) for frames, texts in SHAPES]
    kept = np.array([_kept_by(model, lambda shape=shape: loss_of(*shape)) for shape in lengths])  # type: ignore[misc]
    terms = np.array([_powers(*shape) for shape in lengths]) / kept[:, None]  # relative: short ones count as much
    used = list(range(terms.shape[1]))
    while True:
        parts = np.linalg.lstsq(terms[:, used], np.ones(len(kept)), rcond=None)[0]
        if parts.min() >= 0:
            break
        del used[int(parts.argmin())]  # no part shrinks: what is below 0 is the rounding of the others
    return MemoryNeed(tuple(dict(zip(used, parts.tolist(), strict=True)).get(place, 0.0) for place in range(6)))


def check_fits(need: MemoryNeed, dataset: SpeechDataset, *, unreadable: Collection[str] = ()) -> None:
    """Refuse utterances that need more memory alone than there is, before one of them is computed.

    unreadable: names those that will not be
    Raises ManifestError that names the others.
    """
    free, seconds = free_memory(), dataset.longest_durations()
    fits, faults = 0.0, []
    lengths = zip(dataset.utterances, seconds, dataset.frames(seconds), dataset.most_tokens(), strict=True)
    for one, length, frames, tokens in lengths:
        if one.id in unreadable:
            continue
        if (needed := need.of(frames=frames, tokens=tokens)) <= free:
            fits = max(fits, length)
        else:
            where = f"{one.origin}: " if one.origin else ""
            much = f"{length:.1f} s and {tokens} tokens need about {needed / 1e6:.0f} MB"
            faults.append(f"{where}utterance '{one.id}': {much}")
    if faults:
        raise ManifestError(
            f"Too large for the {free / 1e6:.0f} MB of memory that are free: {len(faults)} of "
            f"{counted(len(dataset), 'utterance')}: "
            f"{listed(faults)}. The longest that fits has {fits:.1f} s. Cut longer ones into pieces, or take them out "
            "of the manifest; data.max_seconds leaves out what is longer from training."
        )


def _kept_by(model: nn.Module, work: Callable[[], Tensor]) -> int:
    """Count the bytes that autograd keeps for a gradient; a storage counts once, the weights not at all."""
    weights = {value.untyped_storage().data_ptr() for value in (*model.parameters(), *model.buffers())}
    storages: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = work()  # held while its storages are counted
    del loss
    return sum(storages.values())


def free_memory() -> float:
    """Return how many bytes this process may still take: of the machine, of its control group, of its own limit."""
    machine = _field(Path("/proc/meminfo"), "MemAvailable")
    free = [machine] if machine is not None else []
    group = Path("/sys/fs/cgroup")
    limit, used = _number(group / "memory.max"), _number(group / "memory.current")
    if limit is not None and used is not None:
        free.append(limit - used)
    space, _ = resource.getrlimit(resource.RLIMIT_AS)
    taken = _field(Path("/proc/self/status"), "VmSize")
    if space != resource.RLIM_INFINITY and taken is not None:
        free.append(space - taken)
    neighbours = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))  # torchrun's processes share the machine
    return USED * max(min(free, default=float("inf")), 0.0) / neighbours


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that there was not enough memory, of a CPU or a graphics card."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and any(words in str(error).lower() for words in OUT_OF_MEMORY)
    )


def _field(path: Path, name: str) -> float | None:
    """Read a size in kB from a file of the kernel, where there is one."""
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    return next((1024.0 * int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), None)


def _number(path: Path) -> float | None:
    try:
        return float(path.read_text(encoding="ascii"))
    except (OSError, ValueError):  # not there, or "max"
        return None
