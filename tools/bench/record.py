"""Writes what a bench measured, with what it takes to judge it: the command, the machine, the day and the commit."""

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
UNITS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile")  # of a processor, that change how fast it is
PACKAGES = ("asr-s2s", "onnxruntime", "torch", "faster-whisper", "ctranslate2", "jiwer")


def record(path: Path, measured: Any) -> None:
    """Write what was measured; docs/results holds such files, and tools/results.py makes tables of them."""
    report = {
        "command": " ".join(["python", str(Path(sys.argv[0]).resolve().relative_to(ROOT)), *map(_shown, sys.argv[1:])]),
        "date": datetime.now(UTC).date().isoformat(),
        "commit": _commit(),
        "machine": machine(),
        "versions": _versions(),
        "measured": measured,
    }
    path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def machine() -> str:
    """Describe this machine: its processor, what units that has, how many of its cores this process may use."""
    cores = f"{len(os.sched_getaffinity(0))} cores"
    information = Path("/proc/cpuinfo")
    if not information.exists():
        return f"{platform.machine()}, {cores}"
    lines = dict(line.split(":", 1) for line in information.read_text(encoding="utf-8").splitlines() if ":" in line)
    fields = {name.strip(): value.strip() for name, value in lines.items()}
    units = [unit for unit in UNITS if unit in fields.get("flags", "").split()]
    return f"{fields.get('model name', platform.machine())}, {cores}, {' '.join(units)}"


def _shown(argument: str) -> str:
    return f"'{argument}'" if " " in argument else argument


def _commit() -> str:
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
