"""The log of a run: ``history.jsonl``, one JSON object a record, in the order of the steps."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from asr_s2s.files import write_text

Record = dict[str, Any]


class History:
    """Records of one run, in memory for the plots and on disk for everyone else."""

    def __init__(self, path: Path, *, step: int = 0) -> None:
        """Open the log as it was at a step: later records, of work that was lost, are cut off the file."""
        self.path = path
        self.records = [record for record in read_history(path) if record["step"] <= step] if step else []
        write_text(path, "".join(map(_line, self.records)))

    def add(self, record: Mapping[str, Any]) -> None:
        """Append one record; numbers that JSON cannot hold (NaN, infinity) become null."""
        kept = {key: _finite(value) for key, value in record.items()}
        self.records.append(kept)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(_line(kept))

    def of(self, event: str) -> list[Record]:
        """Give the records of one event, "train" or "evaluation"."""
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
