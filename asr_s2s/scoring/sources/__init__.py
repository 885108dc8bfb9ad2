"""Read references and hypotheses; the format is told from a file's name, or else from its first lines."""

from collections.abc import Callable

from asr_s2s.errors import ScoringError
from asr_s2s.inputs import InputFile
from asr_s2s.scoring.sources.columns import column_file, header, names_both_sides
from asr_s2s.scoring.sources.formats import SourceFormat, first_lines, format_of, formats_of
from asr_s2s.scoring.sources.lines import kaldi_file, plain_file, trn_file
from asr_s2s.scoring.sources.manifest import holds_both_sides, manifest_file
from asr_s2s.scoring.sources.source import By, MemorySource, Side, Text, TextSource, by_line
from asr_s2s.scoring.sources.timed import Stretch, by_recording, by_time, read_ctm, read_seglst, read_stm
from asr_s2s.scoring.sources.transcript import transcript_file

TIMED: dict[SourceFormat, Callable[[InputFile], list[Stretch]]] = {
    "stm": read_stm,
    "ctm": read_ctm,
    "seglst": read_seglst,
}
OPENERS: dict[SourceFormat, Callable[[InputFile, Side], TextSource]] = {
    "manifest": manifest_file,
    "columns": column_file,
    "kaldi": lambda file, _: kaldi_file(file),
    "trn": lambda file, _: trn_file(file),
    "lines": lambda file, _: plain_file(file),
    "transcript": lambda file, _: transcript_file(file),
}


def read_sides(
    reference: InputFile,
    hypothesis: InputFile | None,
    *,
    source_format: SourceFormat | None = None,
    channels: bool = True,
    other_side_scored: bool = False,
) -> tuple[TextSource, TextSource]:
    """Open both sides, in the format asked for or else the ones told from the files.

    hypothesis: None where one manifest or table holds both sides
    channels: whether channels are told apart where recordings have several
    other_side_scored: whether what the reference's file holds as hypotheses is scored by another pair
    Raises ScoringError for files that cannot be read, and where the format cannot be told.
    """
    if hypothesis is None:
        return _both_sides(reference, source_format)
    formats = (source_format, source_format) if source_format else formats_of(reference, hypothesis)
    if formats == ("stm", "ctm"):
        return by_time(reference, read_stm(reference), hypothesis, read_ctm(hypothesis))
    if not other_side_scored:
        _check_one_side(reference, hypothesis, formats)
    opened: list[TextSource] = []
    sides: tuple[Side, Side] = ("reference", "hypothesis")
    for file, chosen, side in zip((reference, hypothesis), formats, sides, strict=True):
        if chosen in TIMED:
            opened.append(by_recording(file, TIMED[chosen](file), channels=channels))
        else:
            opened.append(OPENERS[chosen](file, side))
    return opened[0], opened[1]


def _both_sides(file: InputFile, source_format: SourceFormat | None) -> tuple[TextSource, TextSource]:
    chosen = source_format or format_of(file)
    if chosen in ("manifest", "columns"):
        sides = OPENERS[chosen](file, "reference"), OPENERS[chosen](file, "hypothesis")
        if chosen == "manifest" or names_both_sides(header(file)[0]):
            return sides
    raise ScoringError(
        f"{file.path}: holds one side alone. One file must be a manifest with 'text' and 'pred_text' on each line, or "
        "a table with such columns; otherwise give two files: the reference, then the hypothesis."
    )


def _check_one_side(reference: InputFile, hypothesis: InputFile, formats: tuple[SourceFormat, SourceFormat]) -> None:
    """Refuse two files that both hold both sides: what the first one recognised would be passed over."""
    if reference.path != hypothesis.path and all(map(_holds_both, (reference, hypothesis), formats)):
        raise ScoringError(
            f"{reference.path} and {hypothesis.path} both hold what was said and what was recognised. Give one alone "
            f"to score it; to compare both on the references of the first: {reference.path} {reference.path} "
            f"{hypothesis.path}."
        )


def _holds_both(file: InputFile, chosen: SourceFormat) -> bool:
    if chosen == "manifest":
        return holds_both_sides(first_lines(file))
    return chosen == "columns" and names_both_sides(header(file)[0])


__all__ = ["By", "MemorySource", "Side", "SourceFormat", "Text", "TextSource", "by_line", "read_sides"]
