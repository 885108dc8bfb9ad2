"""Measures that other packages compute: BLEU and chrF of translations, cpWER of meetings.

Post 2018: "A call for clarity in reporting BLEU scores", WMT 2018 (sacrebleu; its signature says how it counted).
Watanabe 2020: "CHiME-6 challenge", section 5.1: the concatenated minimum-permutation word error rate, whose speakers
may have any names.
"""

from collections.abc import Sequence

from asr_s2s.errors import MissingExtraError, ScoringError
from asr_s2s.inputs import InputFile
from asr_s2s.scoring.error_rate import ErrorRate, total
from asr_s2s.scoring.options import Settings
from asr_s2s.scoring.report import Translation
from asr_s2s.scoring.sources.formats import format_of
from asr_s2s.scoring.sources.timed import read_seglst, read_stm

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


def speaker_errors(reference: InputFile | None, hypothesis: InputFile | None, settings: Settings) -> ErrorRate:
    """Count the errors under the best match of the speakers of both files, stm or SegLST, session by session.

    A session that the hypothesis lacks is counted, or left out, as the settings say; one of its own is not scored.
    Raises ScoringError for other files, MissingExtraError where meeteval is not installed.
    """
    try:
        import meeteval  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtraError(
            "cpWER is meeteval's, which is not installed. Install it with: pip install 'asr-s2s[meetings]'"
        ) from error
    said, heard = _sessions(reference, settings), _sessions(hypothesis, settings)
    errors = []
    for session, segments in said.items():
        if session in heard or settings.options.missing == "deletions":
            both = meeteval.io.SegLST(segments), meeteval.io.SegLST(heard.get(session, []))
            found = meeteval.wer.cp_word_error_rate(*both)
            errors.append(ErrorRate(found.substitutions, found.deletions, found.insertions, found.length))
    return total(errors)


def _sessions(file: InputFile | None, settings: Settings) -> dict[str, list[dict[str, object]]]:
    """Read the segments of each session; channels are of no account."""
    chosen = file and (settings.options.source_format or format_of(file))
    if file is None or chosen not in READERS:
        raise ScoringError(
            f"{file.path if file else 'texts in memory'}: cpWER needs speakers. Give two files of stm or SegLST."
        )
    sessions: dict[str, list[dict[str, object]]] = {}
    for stretch in READERS[chosen](file):
        if stretch.is_ignored:
            continue
        if stretch.speaker is None:
            raise ScoringError(
                f"{file.path}: cpWER needs speakers, and {stretch.recording} at {stretch.start:g} s has none. Name it."
            )
        sessions.setdefault(stretch.recording, []).append(
            {
                "session_id": stretch.recording,
                "speaker": stretch.speaker,
                "start_time": stretch.start,
                "end_time": stretch.end,
                "words": settings.normalizer.apply(stretch.text),
            }
        )
    return sessions
