"""A prepared corpus on disk: a manifest for each part, checksums of its audio, and the list of what was left out."""

from collections.abc import Iterable
from pathlib import Path

from asr_s2s.data.corpora.measure import Measured
from asr_s2s.errors import ManifestError
from asr_s2s.files import write_text
from asr_s2s.manifest import Utterance, relative_path, write_manifest

MANIFEST = ".jsonl"


def write_corpus(target: Path, measured: Measured) -> dict[str, Path]:
    """Write a folder of manifests, PART.jsonl each, or one .jsonl file; give the manifest of each part.

    Beside a manifest stands MANIFEST.sha256, where checksums were made, which `sha256sum -c` reads; beside all of them
    left_out.txt (MANIFEST.left_out.txt for one file), as long as something is left out.
    Raises ManifestError where one file is to hold several parts.
    """
    parts = {name: utterances for name, utterances in measured.corpus.parts.items() if utterances}
    single = target.suffix == MANIFEST
    if single and len(parts) > 1:
        raise ManifestError(
            f"{target}: the corpus has the parts {', '.join(parts)}, which one manifest would mix. Name a folder, "
            f"which gets a manifest of each, or choose: --part {next(iter(parts))}."
        )
    manifests = {name: target if single else target / f"{name}{MANIFEST}" for name in parts}
    for name, manifest in manifests.items():
        write_manifest(manifest, parts[name].values())
        _write_checksums(manifest, parts[name].values(), measured)
    _write_left_out(left_out_path(target), measured)
    return manifests


def left_out_path(target: Path) -> Path:
    """Return the file that lists what was left out."""
    return Path(f"{target}.left_out.txt") if target.suffix == MANIFEST else target / "left_out.txt"


def _write_checksums(manifest: Path, utterances: Iterable[Utterance], measured: Measured) -> None:
    """Write the checksums of the files that a manifest names, as coreutils' sha256sum does."""
    paths = dict.fromkeys(utterance.audio_path for utterance in utterances)
    sums = [(measured.files[path].sha256, relative_path(path, manifest.parent)) for path in paths]
    target = Path(f"{manifest}.sha256")
    if any(sha256 is None for sha256, _ in sums):
        target.unlink(missing_ok=True)  # of an earlier time
    else:
        write_text(target, "".join(f"{sha256}  {name}\n" for sha256, name in sums))


def _write_left_out(path: Path, measured: Measured) -> None:
    if left_out := measured.corpus.left_out:
        write_text(path, "".join(f"{item.cause}: {item.message}\n" for item in left_out))
    else:
        path.unlink(missing_ok=True)
