"""From references and hypotheses to error counts, alignments and a report; no torch."""

from asr_s2s.scoring.align import Alignment, Step, align, character_errors, count_errors, word_errors
from asr_s2s.scoring.error_rate import ErrorRate

__all__ = ["Alignment", "ErrorRate", "Step", "align", "character_errors", "count_errors", "word_errors"]
