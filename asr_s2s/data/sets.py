"""Sets of utterances: several manifests read as one, and the clips that no training set may hold."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from asr_s2s.errors import ManifestError, listed
from asr_s2s.inputs import read_text
from asr_s2s.manifest import Utterance, read_manifest


def read_manifests(paths: Iterable[Path]) -> list[Utterance]:
    """Read manifests as one set, in their order.

    Raises ManifestError for broken lines, and for ids that stand in two manifests: reports could not tell them apart.
    """
    utterances = [utterance for path in paths for utterance in read_manifest(path)]
    origins = defaultdict(list)
    for utterance in utterances:
        origins[utterance.id].append(utterance.origin)
    doubled = [f"'{name}' ({' and '.join(places)})" for name, places in origins.items() if len(places) > 1]
    if doubled:
        raise ManifestError(
            f"{len(doubled)} ids stand in more than one manifest: {listed(doubled)}. Give each line an 'id' of its own."
        )
    return utterances


def assert_none_excluded(utterances: Sequence[Utterance], exclude_file: Path) -> None:
    """Make sure that no utterance is one of the clips that serve for measuring.

    exclude_file: source names, one a line; a name is the id of an utterance or its file's name without the ending
    Raises ManifestError that names the utterances found.
    """
    text = read_text(exclude_file, error=ManifestError, advice="Name the list of clips.")
    names = {line.strip() for line in text.splitlines()} - {""}
    found = [item for item in utterances if item.id in names or item.audio_path.stem in names]
    if found:
        shown = listed([f"'{item.id}' ({item.origin})" for item in found])
        raise ManifestError(
            f"{len(found)} of {len(utterances)} utterances stand in {exclude_file}: {shown}. They serve for measuring; "
            "take them out of what is trained on."
        )
