"""The corpora that lhotse has a recipe for: its `prepare_NAME` reads them, and what it finds becomes our utterances."""

import inspect
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from asr_s2s.data.corpora.lhotse import Items, add_cuts, add_supervisions
from asr_s2s.data.corpora.shared import WHOLE, Corpus, check_folder
from asr_s2s.errors import ManifestError, MissingExtraError

PREFIX = "prepare_"
OUTPUT = "output_dir"  # some recipes read what they have written there


def read_lhotse_recipe(name: str, source: Path) -> Corpus:
    """Read a corpus as lhotse's recipe of that name does; it decides what it leaves out, and says so in its own log.

    Raises ManifestError for an unknown recipe, for one that needs more than one folder, and where the recipe fails.
    """
    prepare = _recipe(name)
    check_folder(source)
    needed = [item.name for item in inspect.signature(prepare).parameters.values() if item.default is item.empty]
    inputs = [each for each in needed if each != OUTPUT]
    if len(inputs) != 1:
        raise ManifestError(
            f"lhotse's recipe '{name}' needs {' and '.join(inputs) or 'its folders by name'}. Run 'lhotse prepare "
            f"{name}' yourself and give the folder that it writes to: asr-s2s prepare lhotse FOLDER."
        )
    corpus = Corpus()
    with TemporaryDirectory() as folder:
        options = {OUTPUT: folder} if OUTPUT in needed else {}
        try:
            found = list(_parts(prepare(source, **options)))
        except Exception as error:  # whatever a recipe does not expect
            raise ManifestError(
                f"{source}: lhotse's recipe '{name}' cannot read it ({type(error).__name__}: {error}). "
                "Name the folder that the recipe's documentation names."
            ) from error
        for part, manifests in found:
            if "cuts" in manifests:
                add_cuts(_placed(manifests["cuts"], name), corpus, folder=source, part=part)
            else:
                recordings, supervisions = manifests["recordings"], manifests.get("supervisions", ())
                add_supervisions(
                    _placed(recordings, name), _placed(supervisions, name), corpus, folder=source, part=part
                )
    return corpus


def _recipe(name: str) -> Callable[..., Any]:
    try:
        from lhotse import recipes  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise MissingExtraError("lhotse's recipes need lhotse: pip install 'asr-s2s[lhotse]'") from error
    # lhotse has its recipes as functions of a module; to list them here would go stale with each of its releases.
    known = {each.removeprefix(PREFIX): each for each in dir(recipes) if each.startswith(PREFIX)}
    if (plain := name.replace("-", "_")) not in known:
        near = get_close_matches(plain, known, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise ManifestError(f"lhotse has no recipe '{name}'.{hint} It has: {', '.join(sorted(known))}.")
    found: Callable[..., Any] = getattr(recipes, known[plain])
    return found


def _parts(found: Any, names: tuple[str, ...] = ()) -> Iterator[tuple[str, dict[str, Any]]]:
    """Walk what a recipe gives, sets of manifests in dictionaries by part, language and the like."""
    if not isinstance(found, dict):
        raise TypeError(f"it gives a {type(found).__name__}, not sets of recordings and supervisions")
    if "recordings" in found or "cuts" in found:
        yield "-".join(names) or WHOLE, found
        return
    for name, inner in found.items():
        yield from _parts(inner, (*names, str(name)))


def _placed(items: Iterable[Any], name: str) -> Items:
    return ((f"lhotse:{name} '{item.id}'", item) for item in items)
