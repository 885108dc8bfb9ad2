"""From a report to its page."""

from collections.abc import Sequence
from pathlib import Path

from asr_s2s.scoring.page.document import to_html
from asr_s2s.scoring.page.payload import system
from asr_s2s.scoring.page.recordings import embedded, links
from asr_s2s.scoring.page.utterances import Manifest, hypothesis_columns, recording_columns, reference_columns
from asr_s2s.scoring.report import Report
from asr_s2s.text.normalizers import Normalizer


def make_page(
    reports: Sequence[Report],
    normalizer: Normalizer,
    *,
    manifests: Sequence[Manifest],
    folder: Path,
    embed_audio: bool = False,
) -> str:
    """Write the page of one report, or of several systems' reports on the same references.

    manifests: of the references, then of each system, for recordings and word times; empty where there is none
    folder: where the page will lie; links to the recordings start there
    Raises ScoringError for recordings that cannot be embedded.
    """
    first = reports[0].pairing
    names = _names([report.pairing.hypothesis for report in reports])
    references = reference_columns(first.pairs, manifests[0], normalizer)
    recordings, paths = recording_columns(first.pairs, manifests)
    payload = {
        "title": f"Word errors: {', '.join(names)}",
        "facts": {
            "Reference": first.reference,
            "Utterances": f"{len(first.pairs):,}, paired by {first.by}",
            "Normalizer": f"{normalizer.name} ({normalizer.version})",
        },
        "systems": [system(name, report) for name, report in zip(names, reports, strict=True)],
        "references": references,
        "hypotheses": [
            hypothesis_columns(report.pairing.pairs, references["text"], manifest, normalizer)
            for report, manifest in zip(reports, manifests[1:], strict=True)
        ],
        "recordings": recordings,
    }
    return to_html(payload, audio=embedded(paths) if embed_audio else links(paths, folder=folder))


def _names(written: Sequence[str]) -> list[str]:
    """Shorten the names of files to what tells them apart."""
    short = [Path(name.removesuffix(" (pred_text)")).stem for name in written]
    return short if len(set(short)) == len(short) else list(written)
