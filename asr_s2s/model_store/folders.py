"""Where models lie: inside the package by their names, or in a folder of their own."""

from pathlib import Path

from asr_s2s.errors import CheckpointError
from asr_s2s.files import is_file, is_folder
from asr_s2s.model_store.stored import WEIGHTS_FILE, check_complete
from asr_s2s.text.vocabulary import read_utf8

CARD_FILE = "README.md"
SHIPPED = Path(__file__).parents[1] / "pretrained"


def model_folder(model: str | Path) -> Path:
    """Find the folder of a shipped name or a path; CheckpointError that lists the names if there is none."""
    shipped = SHIPPED / str(model)
    folder = shipped if str(model) in available_models() else Path(str(model))
    if not is_folder(folder):
        raise CheckpointError(
            f"{model}: is neither a shipped model ({', '.join(available_models())}) nor a folder. "
            "Give one of these names, or the path of a model directory."
        )
    check_complete(folder)
    return folder


def available_models() -> list[str]:
    """List the models inside the package."""
    return sorted(path.parent.name for path in SHIPPED.glob(f"*/{WEIGHTS_FILE}"))


def read_card(model: str | Path) -> str:
    """Return a model's card; empty if it has none."""
    path = model_folder(model) / CARD_FILE
    return read_utf8(path) if is_file(path) else ""


def refuse_overwriting(folder: Path) -> None:
    """Raise CheckpointError for a folder that holds a model already."""
    if (folder / WEIGHTS_FILE).exists():
        raise CheckpointError(f"{folder}: holds a finished model. Name another folder, or replace it with --overwrite.")
