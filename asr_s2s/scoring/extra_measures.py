"""Measures that other packages compute: BLEU and chrF of translations, cpWER of meetings.

Post 2018: "A call for clarity in reporting BLEU scores", WMT 2018 (sacrebleu; its signature says how it counted).
Watanabe 2020: "CHiME-6 challenge", section 5.1: the concatenated minimum-permutation word error rate, whose speakers
may have any names.
"""

from collections.abc import Sequence
from pathlib import Path

from asr_s2s.errors import MissingExtraError, ScoringError
from asr_s2s.scoring.error_rate import ErrorRate
from asr_s2s.scoring.report import Translation
from asr_s2s.scoring.sources import format_of
from asr_s2s.scoring.sources.timed import IGNORED, Stretch, read_seglst, read_stm
from asr_s2s.text.normalizers import Normalizer

READERS = {"stm": read_stm, "seglst": read_seglst}


def translation(references: Sequence[str], hypotheses: Sequence[str]) -> Translation:
    """Score texts as they are, by sacrebleu's own tokens. Raises MissingExtraError."""
    try:
        import sacrebleu  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtraError(
            "BLEU and chrF are sacrebleu's, which is not installed. Install it with: pip install 'asr-s2s[translation]'"
        ) from error
    bleu, chrf = sacrebleu.BLEU(), sacrebleu.CHRF()
    return Translation(
        bleu=bleu.corpus_score(hypotheses, [references]).score,
        chrf=chrf.corpus_score(hypotheses, [references]).score,
        signatures=(f"BLEU {bleu.get_signature()}", f"chrF {chrf.get_signature()}"),
    )


def speaker_errors(reference: Path | None, hypothesis: Path | None, normalizer: Normalizer) -> ErrorRate:
    """Count the errors under the best match of the speakers of both files, stm or SegLST.

    Raises ScoringError for other files, MissingExtraError where meeteval is not installed.
    """
    try:
        import meeteval  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtraError(
            "cpWER is meeteval's, which is not installed. Install it with: pip install 'asr-s2s[meetings]'"
        ) from error
    both = [meeteval.io.SegLST(_segments(path, normalizer)) for path in (reference, hypothesis)]
    found = meeteval.wer.combine_error_rates(meeteval.wer.cpwer(*both))
    return ErrorRate(found.substitutions, found.deletions, found.insertions, found.length)


def _segments(path: Path | None, normalizer: Normalizer) -> list[dict[str, object]]:
    if path is None or format_of(path) not in READERS:
        raise ScoringError(f"{path or 'texts in memory'}: cpWER needs speakers. Give two files of stm or SegLST.")
    stretches: list[Stretch] = READERS[format_of(path)](path)
    return [
        {
            "session_id": stretch.place,
            "speaker": stretch.speaker or "unknown",
            "start_time": stretch.start,
            "end_time": stretch.end,
            "words": normalizer.apply(stretch.text),
        }
        for stretch in stretches
        if stretch.text != IGNORED
    ]
