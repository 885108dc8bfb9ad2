"""Attention-based speech recognition: transcribe, train and score.

>>> import asr_s2s
>>> model = asr_s2s.load("en")
>>> model.transcribe("tests/data/arctic_a0015_1592748256.ogg").text
"It's the Aurora Borealis."

The public names are imported when they are first used, so that `import asr_s2s` loads no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asr_s2s.errors import AsrError
    from asr_s2s.manifest import Utterance, Word, read_manifest, write_manifest
    from asr_s2s.recognizer import DecodeOptions, Recognizer
    from asr_s2s.recognizer.load import load
    from asr_s2s.scoring import Comparison, ErrorRate, Report, compare, score
    from asr_s2s.transcripts import Segment, Transcript

__version__ = "0.1.0"

__all__ = [
    "AsrError",
    "Comparison",
    "DecodeOptions",
    "ErrorRate",
    "Recognizer",
    "Report",
    "Segment",
    "Transcript",
    "Utterance",
    "Word",
    "compare",
    "load",
    "read_manifest",
    "score",
    "write_manifest",
]

_HOMES = {
    "asr_s2s.errors": ("AsrError",),
    "asr_s2s.manifest": ("Utterance", "Word", "read_manifest", "write_manifest"),
    "asr_s2s.recognizer": ("DecodeOptions", "Recognizer", "load"),
    "asr_s2s.scoring": ("Comparison", "ErrorRate", "Report", "compare", "score"),
    "asr_s2s.transcripts": ("Segment", "Transcript"),
}


def __getattr__(name: str) -> object:
    """Import a public name from its room when it is first used (PEP 562)."""
    for room, names in _HOMES.items():
        if name in names:
            return getattr(import_module(room), name)
    raise AttributeError(f"module 'asr_s2s' has no attribute '{name}'")


def __dir__() -> list[str]:
    """List the public names too that were not imported yet, as Tab completion asks for them."""
    return sorted({*globals(), *__all__})
