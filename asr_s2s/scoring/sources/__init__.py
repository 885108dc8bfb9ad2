"""Read references and hypotheses; the format is told from a file's name, or else from its first lines."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path

from asr_s2s.errors import ScoringError
from asr_s2s.inputs import InputFile, input_file
from asr_s2s.scoring.sources.columns import column_file, header, names_both_sides
from asr_s2s.scoring.sources.folder import folder_input, folder_source
from asr_s2s.scoring.sources.formats import SourceFormat, first_lines, format_of, formats_of
from asr_s2s.scoring.sources.lines import kaldi_file, plain_file, trn_file
from asr_s2s.scoring.sources.manifest import holds_both_sides, manifest_file
from asr_s2s.scoring.sources.source import By, MemorySource, Side, Text, TextSource, by_line
from asr_s2s.scoring.sources.timed import Stretch, by_recording, by_time, read_ctm, read_seglst, read_stm
from asr_s2s.scoring.sources.transcript import text_file, transcript_file

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
    "text": lambda file, _: text_file(file),
    "folder": lambda file, _: folder_source(file),
}


def opened_input(path: Path) -> InputFile:
    """Open what is named to be scored: a file, a pipe, or a folder of transcripts. Raises OSError, ScoringError."""
    return folder_input(path) if path.is_dir() else input_file(path)


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
    formats = formats_of(reference, hypothesis, source_format)
    if formats == ("stm", "ctm"):
        return by_time(reference, read_stm(reference), hypothesis, read_ctm(hypothesis))
    if not other_side_scored:
        _check_one_side(reference, hypothesis, formats)
    one = _opened(reference, formats[0], "reference", channels=channels)
    other = _opened(hypothesis, formats[1], "hypothesis", channels=channels)
    if {"transcript", "text"} & set(formats):
        first, second = (
            _first_texts(reference, formats[0], "reference"),
            _first_texts(hypothesis, formats[1], "hypothesis"),
        )
        if len(first) == len(second) == 1 and first[0].id != second[0].id:
            other = _named_alike(other, second[0], first[0].id)
    return one, other


def _opened(file: InputFile, chosen: SourceFormat, side: Side, *, channels: bool) -> TextSource:
    if chosen in TIMED:
        return by_recording(file, TIMED[chosen](file), channels=channels)
    return OPENERS[chosen](file, side)


def _first_texts(file: InputFile, chosen: SourceFormat, side: Side) -> list[Text]:
    """Read two texts, if there are as many."""
    source = _opened(file, chosen, side, channels=True)
    found = list(islice(source.texts(), 2))
    source.close()
    return found


def _named_alike(source: TextSource, text: Text, name: str) -> TextSource:
    """Name the only hypothesis like the only reference: two files of one recording each belong together."""
    remark = f"One recording on each side, paired although their names differ: {name}, {text.id}"
    return MemorySource(source.name, [text._replace(id=name)], source.file, source.by, (*source.remarks, remark))


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


__all__ = ["By", "MemorySource", "Side", "SourceFormat", "Text", "TextSource", "by_line", "opened_input", "read_sides"]
