"""The log of a run: ``history.jsonl``, one JSON object a record, in the order of the steps."""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from asr_s2s.files import write_text

Record = dict[str, Any]


class History:
    """Records of one run, in memory for the plots and on disk for everyone else."""

    def __init__(self, path: Path | None, *, records: int = 0) -> None:
        """Open the log with its first records; later ones, of work that was lost, are cut off the file.

        path: None for a process that does not write
        """
        self.path = path
        self.records = read_history(path)[:records] if path else []
        if path:
            write_text(path, "".join(map(_line, self.records)))

    def add(self, record: Mapping[str, Any]) -> None:
        """Append one record; numbers that JSON cannot hold (NaN, infinity) become null."""
        kept = {key: _finite(value) for key, value in record.items()}
        if self.path:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(_line(kept))
        self.records.append(kept)

    def sync(self) -> None:
        """Make sure that what was added is on disk: a checkpoint counts on it."""
        if self.path:
            with self.path.open("rb") as file:
                os.fsync(file.fileno())

    def of(self, event: str) -> list[Record]:
        """Return the records of one event, "train" or "evaluation"."""
        return [record for record in self.records if record["event"] == event]


def read_history(path: Path) -> list[Record]:
    """Read the records of a run; a last line that a kill left unfinished is dropped."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1] if line]


def _line(record: Record) -> str:
    return json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
