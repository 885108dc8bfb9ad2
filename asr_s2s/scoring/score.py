"""One call from files, or from texts in memory, to a report."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from asr_s2s.errors import ScoringError
from asr_s2s.scoring.align import check_counts
from asr_s2s.scoring.pairing import pair_texts
from asr_s2s.scoring.report import Report, make_report
from asr_s2s.scoring.sources import Source, SourceFormat, Text, by_line, read_both_sides, read_source
from asr_s2s.text.normalizers import normalizer as find_normalizer

DEFAULT_NORMALIZER = "basic"  # changes no language's words; "whisper-english" is for English alone


def score_files(
    reference: Path | None,
    hypothesis: Path,
    *,
    normalizer: str = DEFAULT_NORMALIZER,
    group_by: str | None = None,
    source_format: SourceFormat | None = None,
) -> Report:
    """Score a hypothesis file against a reference file, or one manifest's `pred_text` against its own `text`.

    source_format: for both files; None tells it from each file
    Raises ScoringError or ManifestError for files that cannot be read or paired.
    """
    if reference is None:
        sides = read_both_sides(hypothesis)
    else:
        sides = (
            read_source(reference, "reference", source_format=source_format),
            read_source(hypothesis, "hypothesis", source_format=source_format),
        )
    return make_report(pair_texts(*sides), find_normalizer(normalizer), group_by=group_by)


def score(
    references: Sequence[str] | Mapping[str, str],
    hypotheses: Sequence[str] | Mapping[str, str],
    *,
    normalizer: str = DEFAULT_NORMALIZER,
) -> Report:
    """Score texts in memory: two sequences are paired by position, two mappings by id.

    Raises ScoringError when they cannot be paired.
    """
    if isinstance(references, Mapping) and isinstance(hypotheses, Mapping):
        sides = _named(references, "references"), _named(hypotheses, "hypotheses")
    elif isinstance(references, Mapping) or isinstance(hypotheses, Mapping):
        raise ScoringError("One side is a mapping from id to text, the other is not. Give two mappings or two lists.")
    else:
        check_counts(references, hypotheses)
        sides = by_line("references", references), by_line("hypotheses", hypotheses)
    return make_report(pair_texts(*sides), find_normalizer(normalizer))


def _named(texts: Mapping[str, str], name: str) -> Source:
    return Source(name, tuple(Text(key, text) for key, text in texts.items()))
