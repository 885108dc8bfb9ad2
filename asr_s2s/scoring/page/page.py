"""From the comparison of one or more systems to its page."""

from collections.abc import Sequence
from pathlib import Path

from asr_s2s.scoring.page.document import document
from asr_s2s.scoring.page.fields import flag_fields, label_fields
from asr_s2s.scoring.page.figures import difference_figures, system_figures
from asr_s2s.scoring.page.recordings import embedded, recording_columns
from asr_s2s.scoring.page.rows import rows_of
from asr_s2s.scoring.page.utterances import hypothesis_columns, reference_columns
from asr_s2s.scoring.report import Comparison, Report
from asr_s2s.scoring.tables import reports_of
from asr_s2s.transcripts.page import link


def to_html(result: Report | Comparison, *, folder: Path, embed_audio: bool = False) -> str:
    """Write the page of reports that keep their utterances.

    folder: where the page will lie; links to the recordings start there
    Raises ScoringError for reports without utterances and for recordings that cannot be embedded.
    """
    reports = reports_of(result)
    rows = rows_of(reports)
    recordings, paths = recording_columns(rows)
    payload = {
        "title": f"Word errors of {', '.join(report.system for report in reports)}",
        "facts": _facts(reports),
        "origin": _origin(reports),
        "systems": [system_figures(report) for report in reports],
        "differences": difference_figures(result),
        "fields": label_fields(rows, reports) | flag_fields(rows, reports),
        "references": reference_columns(rows),
        "hypotheses": [hypothesis_columns([row[at] for row in rows]) for at in range(len(reports))],
        "recordings": recordings,
    }
    return document(payload, audio=embedded(paths) if embed_audio else [link(path, folder=folder) for path in paths])


def _facts(reports: Sequence[Report]) -> dict[str, str]:
    """Name what was compared, and how."""
    first = reports[0]
    costs = "" if first.costs == "unit" else f", alignments at {first.costs}'s costs"
    return {
        "Reference": first.pairing.reference,
        "Hypotheses" if len(reports) > 1 else "Hypothesis": ", ".join(report.pairing.hypothesis for report in reports),
        "Utterances": f"{first.pairing.num_references:,}, paired by {first.pairing.by}",
        "Normalizer": f"{first.normalizer} ({first.normalizer_version}){costs}",
    }


def _origin(reports: Sequence[Report]) -> dict[str, str]:
    """Name what it takes to compute the figures again."""
    source = reports[0].provenance
    files = {file.path: file.sha256 for report in reports for file in report.provenance.files}
    return {
        "Command": source.command,
        "Versions": ", ".join(f"{name} {version}" for name, version in source.versions.items()),
        **{f"SHA-256 of {path}": sha256 for path, sha256 in files.items()},
    }
