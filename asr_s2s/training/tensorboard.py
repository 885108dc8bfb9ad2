"""The figures of a run as TensorBoard event files, for those who watch several runs side by side."""

from pathlib import Path
from typing import Any

from asr_s2s.errors import MissingExtraError
from asr_s2s.training.history import Record

PLACES = ("step", "epoch", "seconds")  # where a record stands, not what it tells


class EventFiles:
    """Writes each number of a record as a curve, named "train/cross_entropy_loss" or "evaluation/wer"."""

    def __init__(self, folder: Path, *, step: int) -> None:
        """Open a folder; what was written after the step, of work that was lost, is no longer shown.

        Raises MissingExtraError before hours of work, not after.
        """
        try:
            from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - an optional dependency
        except ImportError as error:
            raise MissingExtraError(
                f"training.tensorboard needs {error.name or 'tensorboard'}. Install it: "
                "pip install 'asr-s2s[tensorboard]', or leave training.tensorboard out."
            ) from error
        self._writer: Any = SummaryWriter(str(folder), purge_step=step + 1 if step else None)

    def add(self, record: Record) -> None:
        """Write the numbers of a record at its step."""
        for name, value in record.items():
            if name not in PLACES and isinstance(value, int | float):
                self._writer.add_scalar(f"{record['event']}/{name}", value, record["step"])
        self._writer.flush()
