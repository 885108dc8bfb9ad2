"""The table of rooms: who may import whom. A new arrow needs a decision record in docs/decisions/."""

import ast
from pathlib import Path

import pytest

import asr_s2s

pytestmark = pytest.mark.unit

PACKAGE = Path(asr_s2s.__file__).parent
# config: the base class alone, save for the rooms that read YAML; inputs, tables: decision 0030
BASE = {"errors", "files", "inputs", "tables", "config"}
TENSOR_ROOMS = {"features", "models", "search"}

MAY_IMPORT = {
    "errors": set(),
    "files": set(),
    "inputs": {"errors"},
    "tables": set(),
    "memory": set(),
    "limits": set(),  # decision 0036
    "runtime": set(),  # decision 0033
    "config": {"errors", "files", "inputs"},
    "pool": {"errors"},
    "lock": {"errors"},  # decision 0032
    "manifest": BASE,
    "pictures": BASE | {"manifest"},  # decision 0011
    "audio": BASE | {"runtime"},
    "text": BASE,
    "features": BASE,
    "data": BASE | {"manifest", "audio", "features", "text", "pool", "transcripts"},  # decisions 0029, 0040
    "checking": BASE | {"manifest", "audio", "text", "data", "models", "model_store", "pool"},  # decision 0018
    "models": BASE,
    "decoding": {"config"},
    "engine": BASE | {"text", "features", "models", "model_store", "runtime"},
    "search": BASE | {"decoding", "engine"},
    "transcripts": BASE | {"manifest"},  # decision 0003: a word with its times has one class
    "scoring": BASE | {"text", "transcripts", "manifest"},
    "model_store": BASE | {"text", "features", "models", "decoding"},  # decision 0004: decoding defaults
    "recognizer": BASE
    | {"manifest", "audio", "text", "features", "data", "decoding", "engine", "search", "transcripts"}
    | {"model_store", "pool", "limits", "memory"},
    "training": BASE
    | {"manifest", "audio", "text", "features", "data", "decoding", "models", "engine", "search", "transcripts"}
    | {"model_store", "scoring"}
    | {"pictures", "lock"},
}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            rooms |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("asr_s2s.")}
        elif isinstance(node, ast.ImportFrom) and node.module:
            parts = node.module.split(".")
            if parts[0] == "asr_s2s":
                rooms |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
    return rooms - {room_of(path), "__version__"}


def sources() -> list[Path]:
    return [path for path in PACKAGE.rglob("*.py") if room_of(path) in MAY_IMPORT]


def test_a_room_imports_only_the_rooms_its_doors_lead_to() -> None:
    beyond = {path: imported_rooms(path) - MAY_IMPORT[room_of(path)] for path in sources()}
    assert {str(path.relative_to(PACKAGE)): rooms for path, rooms in beyond.items() if rooms} == {}


def test_a_search_knows_no_tensors_and_no_engine_but_the_protocol() -> None:
    for path in (PACKAGE / "search").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        named = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
        named |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        engine = {name for name in named if name.startswith("asr_s2s.engine")}
        assert engine <= {"asr_s2s.engine.protocol"}, path
        assert not {name for name in named if name.partition(".")[0] == "torch"}, path


def test_every_room_stands_in_the_table() -> None:
    rooms = {room_of(path) for path in PACKAGE.rglob("*.py")}
    assert rooms - {"__init__", "__main__", "cli"} <= set(MAY_IMPORT)


@pytest.mark.parametrize("room", sorted(TENSOR_ROOMS))
def test_tensor_rooms_neither_open_files_nor_print(room: str) -> None:
    for path in (PACKAGE / room).rglob("*.py"):
        calls = [
            node.func for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)
        ]
        names = {call.id for call in calls if isinstance(call, ast.Name)}
        assert not names & {"open", "print", "read_config", "write_text"}, path
