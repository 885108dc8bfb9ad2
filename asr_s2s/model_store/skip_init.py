"""Building a network whose weights are read from a file at once: none is drawn at random first, which takes time.

Nor is memory taken for more weights than the file holds, whatever the configuration asks for.
"""

import math
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from torch.overrides import TorchFunctionMode

from asr_s2s.errors import CheckpointError

DRAWS = ("normal_", "uniform_")  # kaiming_uniform_ and the like among them
MAKES = ("empty", "zeros", "ones")  # what every layer makes its weights with
SPARE = 2**20, 100  # weights, and tensors, that a network may make beside those of its file: tables of an instant


class SkipInit(TorchFunctionMode):
    """A context in which initialisers leave a tensor's memory as it comes, and few weights can be made.

    On torch's "meta" device drawing costs nothing either, but imports the compiler, which costs more than it saves.
    shapes: of the file's tensors; twice as many may be made, because those that are shared are made for each place
    origin: what asks for them, for messages
    Raises CheckpointError when more are asked for.
    """

    def __init__(self, shapes: Collection[Sequence[int]] | None = None, *, origin: Path | None = None) -> None:
        super().__init__()
        self._origin = origin
        self._held = math.inf if shapes is None else sum(map(math.prod, shapes))
        self._weights_left = 2 * self._held + SPARE[0]
        self._tensors_left = math.inf if shapes is None else 2 * len(shapes) + SPARE[1]

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> object:
        """Call a function of torch, or give its tensor back as it is."""
        given = kwargs or {}
        if func.__name__.endswith(DRAWS):
            return args[0] if args else given["tensor"]
        if func.__name__ in MAKES:
            self._count(args)
        return func(*args, **given)

    def _count(self, sizes: Sequence[Any]) -> None:
        self._weights_left -= math.prod(sizes[0] if sizes and isinstance(sizes[0], Sequence) else sizes)
        self._tensors_left -= 1
        if min(self._weights_left, self._tensors_left) < 0:
            raise CheckpointError(
                f"{self._origin}: asks for a larger network than the {self._held:,} weights that were saved. "
                "It belongs to another model, or was changed by hand."
            )
