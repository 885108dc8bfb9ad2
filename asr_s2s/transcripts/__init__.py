"""From a Transcript to the files that other programs read, and back."""

from asr_s2s.transcripts.transcript import Segment, Transcript

__all__ = ["Segment", "Transcript"]
