"""Attention-based speech recognition: transcribe, train and score."""

__version__ = "0.1.0"
