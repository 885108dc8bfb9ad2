"""What is suspicious about sets of recordings before they are trained on; no torch, except where a model judges."""

from asr_s2s.checking.finding import CheckedUtterance, Finding, Suspect
from asr_s2s.checking.json_report import to_json
from asr_s2s.checking.page import length_names, to_html
from asr_s2s.checking.report import CheckReport, SetSummary, report_of
from asr_s2s.checking.sets import Leak
from asr_s2s.checking.sound import measure_sounds

__all__ = [
    "CheckReport",
    "CheckedUtterance",
    "Finding",
    "Leak",
    "SetSummary",
    "Suspect",
    "length_names",
    "measure_sounds",
    "report_of",
    "to_html",
    "to_json",
]
