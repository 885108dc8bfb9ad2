"""From the comparison of one or more systems to its page."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from asr_s2s.scoring.page.document import to_html
from asr_s2s.scoring.page.fields import flag_fields, label_fields
from asr_s2s.scoring.page.figures import difference_figures, system_figures
from asr_s2s.scoring.page.recordings import embedded, links, recording_columns
from asr_s2s.scoring.page.rows import Row, rows_of
from asr_s2s.scoring.page.utterances import hypothesis_columns, reference_columns
from asr_s2s.scoring.report import Comparison, Report

HASH_SHOWN = 12


def make_page(comparison: Comparison, *, folder: Path, embed_audio: bool = False) -> str:
    """Write the page of reports that keep their utterances.

    folder: where the page will lie; links to the recordings start there
    Raises ScoringError for recordings that cannot be embedded.
    """
    reports = comparison.reports
    rows = rows_of(reports)
    recordings, paths = recording_columns(rows)
    payload = {
        "title": f"Word errors of {', '.join(report.system for report in reports)}",
        "facts": _facts(reports[0]),
        "systems": [system_figures(report) for report in reports],
        "differences": difference_figures(comparison),
        "fields": _fields(rows, reports),
        "references": reference_columns(rows),
        "hypotheses": [hypothesis_columns([row[at] for row in rows]) for at in range(len(reports))],
        "recordings": recordings,
    }
    return to_html(payload, audio=embedded(paths) if embed_audio else links(paths, folder=folder))


def _facts(report: Report) -> dict[str, str]:
    """Name the data and the way it was scored."""
    source = report.provenance
    facts = {
        "Reference": report.pairing.reference,
        "Utterances": f"{report.pairing.num_references:,}, paired by {report.pairing.by}",
        "Normalizer": f"{report.normalizer} ({report.normalizer_version})",
        "Costs": "" if report.costs == "unit" else report.costs,
        "Data": ", ".join(f"{Path(file.path).name} sha256 {file.sha256[:HASH_SHOWN]}" for file in source.files),
        "Versions": ", ".join(f"{name} {version}" for name, version in source.versions.items()),
        "Command": source.command,
    }
    return {name: text for name, text in facts.items() if text}


def _fields(rows: Sequence[Row], reports: Sequence[Report]) -> dict[str, Any]:
    asked = [grouping.field for grouping in reports[0].groupings]
    return label_fields(rows, asked) | flag_fields(rows, [report.system for report in reports])
