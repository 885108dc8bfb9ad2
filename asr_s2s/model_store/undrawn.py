"""Building a network whose weights are read from a file at once: none is drawn at random first, which takes time."""

from collections.abc import Callable, Sequence
from typing import Any

from torch.overrides import TorchFunctionMode

DRAWS = ("normal_", "uniform_")  # kaiming_uniform_ and the like among them


class Undrawn(TorchFunctionMode):
    """A context in which initialisers leave a tensor's memory as it comes.

    On torch's "meta" device drawing costs nothing either, but imports the compiler, which costs more than it saves.
    """

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
        return func(*args, **given)
