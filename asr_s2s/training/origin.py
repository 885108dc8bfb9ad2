"""What a run was made from, kept in its checkpoints, so that it is not continued with something else by mistake."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from asr_s2s.errors import CheckpointError, listed
from asr_s2s.training.checkpoints import read_document


def check_origin(
    checkpoint: Path, origin: dict[str, Any], *, changeable: Collection[str], difference: Callable[[], str]
) -> None:
    """Refuse to go on with another configuration or other data.

    origin: a tree of values, and under "data" a digest of what is learned from
    changeable: dotted names that may differ; difference: says what of the data is other, if it is

    Raises CheckpointError that lists what differs, with the checkpoint's value and the new one.
    """
    before = read_document(checkpoint)["origin"]
    old, new = _flat(before), _flat(origin)
    differing = [
        f"{key.removeprefix('config.')} was {old.get(key)!r} and is {new.get(key)!r}"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key) and key not in {"data", *changeable}
    ]
    if before["data"] != origin["data"]:
        differing.append(difference())
    if differing:
        raise CheckpointError(
            f"{checkpoint}: this run was started differently: {listed(differing, limit=10)}. "
            "Use what it was started with (experiment.yaml), or another --output, with --from for its weights."
        )


def _flat(tree: Any, prefix: str = "") -> dict[str, Any]:
    """Name each leaf of a tree by its dotted path."""
    if not isinstance(tree, dict):
        return {prefix: tree}
    items = (_flat(value, f"{prefix}.{key}" if prefix else key) for key, value in tree.items())
    return {path: value for part in items for path, value in part.items()}
