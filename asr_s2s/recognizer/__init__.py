"""A recording in, a transcript out."""

from asr_s2s.recognizer.hotwords import read_hotwords
from asr_s2s.recognizer.load import load
from asr_s2s.recognizer.model import ReadyModel
from asr_s2s.recognizer.options import DecodeOptions
from asr_s2s.recognizer.recognizer import Recognizer
from asr_s2s.recognizer.source import AudioSource
from asr_s2s.recognizer.transcription import TranscriptionProgress
from asr_s2s.recognizer.workers import Transcriber, Workers

__all__ = [
    "AudioSource",
    "DecodeOptions",
    "ReadyModel",
    "Recognizer",
    "Transcriber",
    "TranscriptionProgress",
    "Workers",
    "load",
    "read_hotwords",
]
