"""The report as one self-contained HTML file: drawn by its own scripts from one JSON payload, readable offline."""

from asr_s2s.scoring.page.page import to_html

__all__ = ["to_html"]
