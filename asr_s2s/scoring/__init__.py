"""From references and hypotheses to error counts, alignments and a report; no torch."""

from asr_s2s.scoring.align import Alignment, Step, align, character_errors, count_errors, word_errors
from asr_s2s.scoring.calibration import (
    Logistic,
    calibration_error,
    fit_logistic,
    judged_words,
    reliability,
    right_words,
)
from asr_s2s.scoring.error_rate import ErrorRate
from asr_s2s.scoring.json_report import to_json
from asr_s2s.scoring.measures import Measures, measure
from asr_s2s.scoring.report import Report
from asr_s2s.scoring.runaway import loops, runs_on
from asr_s2s.scoring.score import score, score_files
from asr_s2s.scoring.text_report import percent, to_text

__all__ = [
    "Alignment",
    "ErrorRate",
    "Logistic",
    "Measures",
    "Report",
    "Step",
    "align",
    "calibration_error",
    "character_errors",
    "count_errors",
    "fit_logistic",
    "judged_words",
    "loops",
    "measure",
    "percent",
    "reliability",
    "right_words",
    "runs_on",
    "score",
    "score_files",
    "to_json",
    "to_text",
    "word_errors",
]
