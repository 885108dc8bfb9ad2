"""From references and hypotheses to error counts, alignments and a report; no torch.

What the confidences of transcripts are worth is in asr_s2s.scoring.calibration.
"""

from asr_s2s.scoring.align import Alignment, Step, align, character_errors, count_errors, word_errors
from asr_s2s.scoring.error_rate import ErrorRate
from asr_s2s.scoring.json_report import to_json
from asr_s2s.scoring.measures import Measures
from asr_s2s.scoring.options import ScoreOptions
from asr_s2s.scoring.report import Comparison, Report
from asr_s2s.scoring.runaway import loops, runs_on
from asr_s2s.scoring.scorer import compare, score, system_names
from asr_s2s.scoring.tables import percent, to_csv, to_latex, to_markdown
from asr_s2s.scoring.text_report import to_text
from asr_s2s.scoring.verify import verify

__all__ = [
    "Alignment",
    "Comparison",
    "ErrorRate",
    "Measures",
    "Report",
    "ScoreOptions",
    "Step",
    "align",
    "character_errors",
    "compare",
    "count_errors",
    "loops",
    "percent",
    "runs_on",
    "score",
    "system_names",
    "to_csv",
    "to_json",
    "to_latex",
    "to_markdown",
    "to_text",
    "verify",
    "word_errors",
]
